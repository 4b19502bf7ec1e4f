package streams

import (
	"context"
	"fmt"
	"time"
)

// A job is work that outlives the server that began it. Redis keeps its state, which the caller chooses, until
// a server finishes it. While a server works on a job, it holds a lease.

// Jobs returns the states of all jobs, by ID.
func (s *Store) Jobs(ctx context.Context) (map[string]string, error) {
	states, err := s.redis.Retrying.HGetAll(ctx, s.keys.jobs()).Result()
	if err != nil {
		return nil, fmt.Errorf("list the jobs: %w", wrap(err))
	}
	return states, nil
}

// AddJob stores a job, unless there is one with the ID. IDs have only letters, digits, "-", "_" and ":".
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

// FinishJob removes a job and its lease.
func (s *Store) FinishJob(ctx context.Context, id string) error {
	if err := s.redis.Retrying.HDel(ctx, s.keys.jobs(), id).Err(); err != nil {
		return fmt.Errorf("finish a job: %w", wrap(err))
	}
	return s.ReleaseJob(ctx, id)
}

// ClaimJob reports whether this server may work on the job for the given time, because no other server does.
func (s *Store) ClaimJob(ctx context.Context, id string, life time.Duration) (bool, error) {
	claimed, err := s.redis.Unretried.SetNX(ctx, s.keys.jobLease(id), "1", life).Result()
	if err != nil {
		return false, fmt.Errorf("claim a job: %w", wrap(err))
	}
	return claimed, nil
}

// ExtendJob renews the lease of the server that works on the job.
func (s *Store) ExtendJob(ctx context.Context, id string, life time.Duration) error {
	if err := s.redis.Retrying.Set(ctx, s.keys.jobLease(id), "1", life).Err(); err != nil {
		return fmt.Errorf("extend the lease of a job: %w", wrap(err))
	}
	return nil
}

// ReleaseJob lets another server work on the job.
func (s *Store) ReleaseJob(ctx context.Context, id string) error {
	if err := s.redis.Retrying.Del(ctx, s.keys.jobLease(id)).Err(); err != nil {
		return fmt.Errorf("release a job: %w", wrap(err))
	}
	return nil
}
