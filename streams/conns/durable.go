package conns

import (
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"
)

// replicaTimeout is how long a write waits for a replica to confirm it.
const replicaTimeout = time.Second

// ErrNotReplicated means that no replica has confirmed a write, although Options.Replicate is set. If the primary fails, the
// write may be lost.
var ErrNotReplicated = errors.New("no replica has confirmed the write")

// Durable is like [Set.Pipeline]. If Options.Replicate is set, it returns an error unless a replica has the writes. It then
// sends all commands to the server that has the key.
func (s *Set) Durable(ctx context.Context, weight int, key string, queue func(redis.Pipeliner)) error {
	if !s.replicate {
		return s.Pipeline(ctx, weight, queue)
	}
	node, err := Node(ctx, s.Retrying, key)
	if err != nil {
		return err
	}
	pipe := node.Pipeline()
	queue(pipe)
	// WAIT waits only for writes over its own connection. If an earlier call made the change, this one may write nothing else.
	pipe.Set(ctx, key+":replicated", "", time.Millisecond)
	wait := s.PipeWait(ctx, pipe)
	pipe.Exec(ctx)
	return CheckReplicated(wait)
}

// PipeWait adds a WAIT for one replica to the pipeline, for [CheckReplicated]. Without Options.Replicate, it adds nothing and
// returns nil.
func (s *Set) PipeWait(ctx context.Context, pipe redis.Pipeliner) *redis.Cmd {
	if !s.replicate {
		return nil
	}
	return pipe.Do(ctx, "wait", 1, replicaTimeout.Milliseconds())
}

// CheckReplicated returns an error unless a replica has confirmed the writes before wait. If wait is nil, it returns nil.
func CheckReplicated(wait *redis.Cmd) error {
	if wait == nil {
		return nil
	}
	replicas, err := wait.Int()
	if err != nil {
		return err
	}
	if replicas < 1 {
		return ErrNotReplicated
	}
	return nil
}
