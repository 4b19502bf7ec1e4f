package streams

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"burble/streams/conns"
)

const (
	// healthTimeout is shorter than the health-check timeout of hosting platforms.
	healthTimeout = 2 * time.Second
	// fullPeriod is how long Redis is considered full after it refuses an append. Without this limit, it
	// would be considered full forever, because a server that is not ready receives no appends.
	fullPeriod = 10 * time.Second
)

// health holds what the tails and appenders have found out about Redis.
type health struct {
	// statusMu is held while awayTails changes and while OnStatus runs, so that its calls are in order.
	statusMu  sync.Mutex
	awayTails atomic.Int32 // number of tails that cannot read from Redis
	fullAt    atomic.Int64 // Unix time of the last append refused for lack of space; 0 after a stored append
	appended  atomic.Bool  // whether there was an append since the last check for evictions
}

// Health returns nil if Redis accepts appends. Otherwise it returns ErrUnavailable or ErrFull,
// with the reason. It queries Redis, and takes up to 2 s.
func (s *Store) Health(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	if err := s.checkWrites(ctx); err != nil {
		return wrap(err)
	}
	if s.Away() {
		return fmt.Errorf("%w: cannot read new entries yet", ErrUnavailable)
	}
	refused := time.Since(time.Unix(s.health.fullAt.Load(), 0)) < fullPeriod
	reported := false
	for _, server := range s.checkEviction(ctx) {
		limit := server.limit
		if refused {
			limit -= limit / 50 // used memory may have fallen slightly since
		}
		if limit > 0 && server.used >= limit && server.policy == "noeviction" {
			return fmt.Errorf("%w: redis uses %d of %d bytes", ErrFull, server.used, server.limit)
		}
		reported = reported || server.policy == "noeviction"
	}
	if refused && !reported { // without INFO, a refused append is the only sign that memory is full
		return fmt.Errorf("%w: redis refused the last message", ErrFull)
	}
	return nil
}

// checkWrites sends Redis a write that changes nothing. Redis refuses it, as it refuses appends, if it is
// a replica, has too few replicas, denies permission, or cannot write to its disk. Redis accepts it even
// when its memory is full.
func (s *Store) checkWrites(ctx context.Context) error {
	activity := s.keys.activity(0)
	node, err := conns.Node(ctx, s.redis.Retrying, activity)
	if err != nil {
		return err
	}
	pipe := node.Pipeline()
	pipe.XTrimMaxLenApprox(ctx, activity, activityLength, 0)
	wait := s.redis.PipeProbe(ctx, pipe, activity)
	if _, err := pipe.Exec(ctx); err != nil {
		return err
	}
	return conns.CheckReplicated(wait)
}

// Away reports whether Redis, or part of a Cluster, is not answering reads of new entries.
func (s *Store) Away() bool { return s.health.awayTails.Load() > 0 }

// tailDisconnected records that a tail can no longer read from Redis.
func (s *Store) tailDisconnected(cause error) {
	s.health.statusMu.Lock()
	defer s.health.statusMu.Unlock()
	if s.health.awayTails.Add(1) == 1 {
		s.log.Warn("redis is away", "error", cause)
		s.notify(true)
	}
}

// tailReconnected records that a tail reads from Redis again, and wakes all readers.
func (s *Store) tailReconnected() {
	s.health.statusMu.Lock()
	if s.health.awayTails.Add(-1) == 0 {
		s.log.Info("redis is back")
		s.notify(false)
	}
	s.health.statusMu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, w := range s.windows {
		w.wake() // reads may have failed in the meantime
	}
}

func (s *Store) notify(away bool) {
	if s.onStatus != nil {
		s.onStatus(away)
	}
}
