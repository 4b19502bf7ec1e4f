package streams

import (
	"context"
	"fmt"
)

// A job is work that outlives the server that began it. Redis keeps the job's state until a server finishes the
// job. The caller chooses the format of the state.

// Jobs returns the states of all jobs, by ID.
func (s *Store) Jobs(ctx context.Context) (map[string]string, error) {
	states, err := s.redis.Retrying.HGetAll(ctx, s.keys.jobs()).Result()
	if err != nil {
		return nil, fmt.Errorf("list the jobs: %w", wrap(err))
	}
	return states, nil
}

// AddJob stores a job, unless a job with the ID exists. An ID consists of letters, digits, "-", "_" and ":".
func (s *Store) AddJob(ctx context.Context, id, state string) error {
	if err := s.redis.Unretried.HSetNX(ctx, s.keys.jobs(), id, state).Err(); err != nil {
		return fmt.Errorf("store a job: %w", wrap(err))
	}
	return nil
}

// SaveJob replaces the state of a job.
func (s *Store) SaveJob(ctx context.Context, id, state string) error {
	if err := s.redis.Retrying.HSet(ctx, s.keys.jobs(), id, state).Err(); err != nil {
		return fmt.Errorf("store the state of a job: %w", wrap(err))
	}
	return nil
}

// FinishJob removes a job.
func (s *Store) FinishJob(ctx context.Context, id string) error {
	if err := s.redis.Retrying.HDel(ctx, s.keys.jobs(), id).Err(); err != nil {
		return fmt.Errorf("finish a job: %w", wrap(err))
	}
	return nil
}
