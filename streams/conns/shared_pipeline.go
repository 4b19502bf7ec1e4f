package conns

import (
	"context"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// maxPipelines is the number of shared pipelines that may be in flight at once. Health
	// checks and other rare commands have the rest of the connections.
	maxPipelines = MaxRetrying - 1
	// maxPipelineWeight bounds how long one shared pipeline keeps Redis from other commands: a
	// weight of 1 is about 0.1 ms.
	maxPipelineWeight = 100
	// pipelineTimeout bounds one shared pipeline, whatever its callers' timeouts.
	pipelineTimeout = 5 * time.Second
)

// A sharedPipeline merges what concurrent callers send to Redis into few pipelines: while
// these are in flight, the next one collects commands. Callers therefore wait about one round trip
// for each other, however many there are, instead of taking turns on a connection.
//
// In a Cluster each caller has a pipeline of its own: a merged one would wait for the slowest of
// the nodes.
type sharedPipeline struct {
	client    redis.UniversalClient
	isCluster bool

	mu      sync.Mutex
	waiting []*pipelineCall
	running int
}

// pipelineCall is one call of Pipeline.
type pipelineCall struct {
	ctx    context.Context
	weight int
	queue  func(redis.Pipeliner)
	done   chan struct{}
}

// Pipeline sends the commands that queue adds to a pipeline, and returns when they are answered;
// each has its own error. weight is roughly how long Redis needs for them, in units of 0.1 ms.
// They may be sent twice. queue may run in another goroutine, and must not block.
//
// The only error that Pipeline returns is that of ctx. The caller must then not use the commands:
// they may still be running.
func (s *Set) Pipeline(ctx context.Context, weight int, queue func(redis.Pipeliner)) error {
	return s.pipeline.do(ctx, weight, queue)
}

func (p *sharedPipeline) do(ctx context.Context, weight int, queue func(redis.Pipeliner)) error {
	if p.isCluster {
		pipe := p.client.Pipeline()
		queue(pipe)
		pipe.Exec(ctx)
		return ctx.Err()
	}
	call := &pipelineCall{ctx: ctx, weight: weight, queue: queue, done: make(chan struct{})}
	p.mu.Lock()
	p.waiting = append(p.waiting, call)
	if p.running < maxPipelines {
		p.running++
		go p.run()
	}
	p.mu.Unlock()
	select {
	case <-call.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// run sends pipelines until no caller is waiting.
func (p *sharedPipeline) run() {
	for calls := p.next(); len(calls) > 0; calls = p.next() {
		pipe := p.client.Pipeline()
		for _, call := range calls {
			call.queue(pipe)
		}
		ctx, cancel := context.WithTimeout(context.Background(), pipelineTimeout)
		pipe.Exec(ctx)
		cancel()
		for _, call := range calls {
			close(call.done)
		}
	}
}

// next returns the calls for the next pipeline, in the order in which they came.
func (p *sharedPipeline) next() (calls []*pipelineCall) {
	p.mu.Lock()
	defer p.mu.Unlock()
	weight := 0
	for len(p.waiting) > 0 {
		call := p.waiting[0]
		if len(calls) > 0 && weight+call.weight > maxPipelineWeight {
			return calls
		}
		p.waiting[0] = nil
		p.waiting = p.waiting[1:]
		if call.ctx.Err() == nil {
			calls = append(calls, call)
			weight += call.weight
		}
	}
	if len(calls) == 0 {
		p.running--
		p.waiting = nil
	}
	return calls
}
