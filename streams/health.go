package streams

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"burble/streams/conns"
)

// healthTime is less than a platform waits for the answer.
const healthTime = 2 * time.Second

// refusalCounts is how long a refused append speaks for Redis. A server that is not
// ready is sent no others, and would be full for ever.
const refusalCounts = 10 * time.Second

// health is what the tails and lanes noticed by themselves.
type health struct {
	telling sync.Mutex   // of away, in the order in which it changes
	away    atomic.Int32 // tails that cannot read
	full    atomic.Int64 // when an append last found no memory, Unix seconds; 0: one has found some since
}

// Health returns nil when Redis takes in messages and has room for more, else
// ErrUnavailable or ErrFull with the reason. It asks Redis, for 2 s at most.
func (s *Store) Health(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, healthTime)
	defer cancel()
	if err := s.takes(ctx); err != nil {
		return wrap(err)
	}
	if s.Away() {
		return fmt.Errorf("%w: not reading yet", ErrUnavailable)
	}
	// A Redis without INFO (some hosts hide it) is taken at its appends' word.
	info, _ := s.redis.Retrying.Info(ctx, "memory").Result()
	used, limit, policy := memory(info)
	refused := time.Since(time.Unix(s.health.full.Load(), 0)) < refusalCounts
	if refused {
		limit -= limit / 50 // what it uses goes up and down a little
	}
	switch {
	case limit > 0 && used >= limit && policy == "noeviction":
		return fmt.Errorf("%w: redis uses %d of %d bytes", ErrFull, used, limit)
	case policy == "" && refused:
		return fmt.Errorf("%w: redis refused the last message", ErrFull)
	}
	return nil
}

// takes asks Redis for what it refuses where it refuses appends (as a replica does, or for
// a lack of replicas, rights or disk), except for a lack of memory.
func (s *Store) takes(ctx context.Context) error {
	activity := s.keys.activity(0)
	node, err := conns.Node(ctx, s.redis.Retrying, activity)
	if err != nil {
		return err
	}
	pipe := node.Pipeline()
	pipe.XTrimMaxLenApprox(ctx, activity, activityKept, 0)
	wait := s.askReplicas(ctx, pipe)
	if _, err := pipe.Exec(ctx); err != nil {
		return err
	}
	return replicated(wait)
}

// Away says whether Redis was gone at the last look.
func (s *Store) Away() bool { return s.health.away.Load() > 0 }

func memory(info string) (used, limit int64, policy string) {
	for line := range strings.Lines(info) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		switch name {
		case "used_memory":
			used, _ = strconv.ParseInt(value, 10, 64)
		case "maxmemory":
			limit, _ = strconv.ParseInt(value, 10, 64)
		case "maxmemory_policy":
			policy = value
		}
	}
	return used, limit, policy
}

// gone and back are called by tails that lose Redis and find it again.
func (s *Store) gone(cause error) {
	s.health.telling.Lock()
	defer s.health.telling.Unlock()
	if s.health.away.Add(1) == 1 {
		s.log.Warn("redis is away", "error", cause)
		s.notify(true)
	}
}

func (s *Store) back() {
	s.health.telling.Lock()
	if s.health.away.Add(-1) == 0 {
		s.log.Info("redis is back")
		s.notify(false)
	}
	s.health.telling.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, w := range s.windows {
		w.wake() // some failed to read meanwhile
	}
}
