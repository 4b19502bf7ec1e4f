package conns

import (
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"
)

// replicaTimeout is how long a write waits for a replica to confirm it.
const replicaTimeout = time.Second

// ErrNotReplicated means that no replica has confirmed a write, although Options.Replicate is set. If the primary
// fails, the write may be lost.
var ErrNotReplicated = errors.New("no replica has confirmed the write")

// Durable is like [Set.Pipeline]. If Options.Replicate is set, it sends all commands to the server that has the key,
// and also returns an error unless a replica has the writes. After ErrNotReplicated, the caller may use the commands.
//
// Only one of these pipelines waits for the replicas of a server at a time. While the replicas hang, the other
// connections remain available for reads.
func (s *Set) Durable(ctx context.Context, weight int, key string, queue func(redis.Pipeliner)) error {
	if !s.replicate {
		return s.Pipeline(ctx, weight, queue)
	}
	node, err := Node(ctx, s.Retrying, key)
	if err != nil {
		return err
	}
	s.durableMu.Lock()
	pipeline := s.durable[node]
	if pipeline == nil {
		pipeline = &sharedPipeline{client: node, maxRunning: 1, isDurable: true}
		s.durable[node] = pipeline
	}
	s.durableMu.Unlock()
	return pipeline.do(ctx, weight, key, queue)
}

// markScript writes a key even if Redis is full, because Redis refuses a script only before its first write, and DEL
// needs no memory.
var markScript = redis.NewScript(`redis.call('DEL', KEYS[1]) redis.call('SET', KEYS[1], '', 'PX', 1) return 1`)

// markAndWait adds a write and a WAIT for one replica to the pipeline. WAIT waits only for writes over its own
// connection. Without the added write, there may be none, because an earlier call may already have made the change.
func markAndWait(ctx context.Context, pipe redis.Pipeliner, key string) *redis.Cmd {
	markScript.Eval(ctx, pipe, []string{key + ":replicated"})
	return pipeWait(ctx, pipe)
}

// PipeProbe adds a write and a WAIT for one replica to the pipeline, for [CheckReplicated]. It writes another key,
// whose name begins with key. Without Options.Replicate, it adds nothing and returns nil.
func (s *Set) PipeProbe(ctx context.Context, pipe redis.Pipeliner, key string) *redis.Cmd {
	if !s.replicate {
		return nil
	}
	return markAndWait(ctx, pipe, key)
}

// PipeWait adds a WAIT for one replica to the pipeline, for [CheckReplicated]. Without Options.Replicate, it adds
// nothing and returns nil.
func (s *Set) PipeWait(ctx context.Context, pipe redis.Pipeliner) *redis.Cmd {
	if !s.replicate {
		return nil
	}
	return pipeWait(ctx, pipe)
}

func pipeWait(ctx context.Context, pipe redis.Pipeliner) *redis.Cmd {
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
