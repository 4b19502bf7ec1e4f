package streams

import (
	"context"
	"fmt"
	"time"

	"burble/streams/conns"

	"github.com/redis/go-redis/v9"
)

const (
	// sweepBatchSize is how many rooms the sweep trims in one pipeline, which takes Redis about 2 ms.
	sweepBatchSize = 100
	// sweepPause is the time between two pipelines.
	sweepPause = 50 * time.Millisecond
)

// sweepInterval is how often one of the servers, the first to claim the sweep, sweeps all rooms.
var sweepInterval = 10 * time.Minute

// sweep applies the retention limits to all rooms until ctx ends. Appends and pages apply the limits
// too, but not in rooms that nobody opens or writes to.
func (s *Store) sweep(ctx context.Context) {
	if s.maxAge == 0 && s.maxCount == 0 {
		return
	}
	ticker := time.NewTicker(sweepInterval)
	defer ticker.Stop()
	for {
		if err := s.sweepOnce(ctx); err != nil && ctx.Err() == nil {
			s.log.Debug("cannot apply the retention limits to all rooms", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// sweepOnce sweeps all rooms, unless a server has begun a sweep within the last sweepInterval.
func (s *Store) sweepOnce(ctx context.Context) error {
	if isOwner, err := s.claimSweep(ctx); err != nil || !isOwner {
		return err
	}
	for bucket := range buckets {
		for _, list := range []string{s.keys.rooms(bucket), s.keys.hidden(bucket)} {
			if err := s.sweepList(ctx, list); err != nil {
				return err
			}
		}
	}
	return nil
}

// sweepList sweeps the rooms in a sorted set.
func (s *Store) sweepList(ctx context.Context, list string) error {
	for first := int64(0); ; first += sweepBatchSize {
		rooms, err := s.redis.Retrying.ZRange(ctx, list, first, first+sweepBatchSize-1).Result()
		if err != nil {
			return fmt.Errorf("list the rooms of a bucket: %w", wrap(err))
		}
		if err := s.sweepRooms(ctx, rooms); err != nil {
			return err
		}
		if len(rooms) < sweepBatchSize {
			return nil
		}
	}
}

// claimSweep reports whether this server may sweep now.
func (s *Store) claimSweep(ctx context.Context) (isOwner bool, err error) {
	isOwner, err = s.redis.Retrying.SetNX(ctx, s.keys.sweep(), "1", sweepInterval).Result()
	if err != nil {
		return false, fmt.Errorf("claim the sweep: %w", wrap(err))
	}
	return isOwner, nil
}

// sweepRooms trims the rooms until there is nothing more to trim.
func (s *Store) sweepRooms(ctx context.Context, rooms []string) error {
	for len(rooms) > 0 {
		calls := make([]conns.Call, len(rooms))
		for i, room := range rooms {
			calls[i] = s.retentionCall(room)
		}
		replies, err := s.redis.RunScripts(ctx, calls...)
		if err != nil {
			return wrap(err)
		}
		var again []string // each call trims up to 500 entries
		for i, reply := range replies {
			switch err := reply.Err(); {
			case err == nil:
				again = append(again, rooms[i])
			case err != redis.Nil:
				s.log.Debug("cannot apply the retention limits", "room", rooms[i], "error", err)
			}
		}
		rooms = again
		select {
		case <-time.After(sweepPause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}
