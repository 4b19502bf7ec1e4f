package streams

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// sweepRooms is how many rooms the sweep trims in one pipeline: about 2 ms of Redis' time.
	sweepRooms = 100
	// sweepPause is the time between two of them.
	sweepPause = 50 * time.Millisecond
)

// sweepInterval is how often all rooms are swept, by whichever server comes first.
var sweepInterval = 10 * time.Minute

// sweep applies the retention to all rooms, including those that nobody opens or writes to, until
// ctx ends. Appends and pages apply it to the others.
func (s *Store) sweep(ctx context.Context) {
	if s.options.MaxAge == 0 && s.options.MaxCount == 0 {
		return
	}
	ticker := time.NewTicker(sweepInterval)
	defer ticker.Stop()
	for {
		if err := s.sweepOnce(ctx); err != nil && ctx.Err() == nil {
			s.log.Debug("cannot apply the retention to all rooms", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// sweepOnce sweeps all rooms, unless a server has begun to within the last sweepInterval.
func (s *Store) sweepOnce(ctx context.Context) error {
	if isOwner, err := s.claimSweep(ctx); err != nil || !isOwner {
		return err
	}
	for bucket := range buckets {
		for first := int64(0); ; first += sweepRooms {
			rooms, err := s.redis.Retrying.ZRange(ctx, s.keys.rooms(bucket), first, first+sweepRooms-1).Result()
			if err != nil {
				return fmt.Errorf("list the rooms of a bucket: %w", wrap(err))
			}
			if err := s.sweepRooms(ctx, rooms); err != nil {
				return err
			}
			if len(rooms) < sweepRooms {
				break
			}
		}
	}
	return nil
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
		calls := make([]scriptCall, len(rooms))
		for i, room := range rooms {
			calls[i] = s.retentionCall(room)
		}
		replies, err := s.runScripts(ctx, calls...)
		if err != nil {
			return wrap(err)
		}
		var again []string // a call trims up to 500 entries
		for i, reply := range replies {
			switch err := reply.Err(); {
			case err == nil:
				again = append(again, rooms[i])
			case err != redis.Nil:
				s.log.Debug("cannot apply the retention", "room", rooms[i], "error", err)
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
