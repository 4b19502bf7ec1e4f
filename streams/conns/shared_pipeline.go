package conns

import (
	"context"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// maxPipelines limits how many shared pipelines are in flight at once. It leaves a connection for
	// health checks and other rare commands.
	maxPipelines = MaxRetrying - 1
	// maxPipelineWeight limits how long one shared pipeline delays other commands in Redis. A weight
	// of 1 is about 0.1 ms.
	maxPipelineWeight = 100
	// pipelineTimeout limits one shared pipeline, regardless of its callers' timeouts.
	pipelineTimeout = 5 * time.Second
)

// A sharedPipeline merges the commands of concurrent callers into a few pipelines. While these are in
// flight, the next one collects commands. A caller waits for about one extra round trip, regardless of
// the number of callers, instead of queueing for a connection.
//
// In a Cluster, each caller has its own pipeline, because a merged one would wait for the slowest
// node.
type sharedPipeline struct {
	client     Client
	isCluster  bool
	maxRunning int
	isDurable  bool // for Set.Durable; waits for a replica

	mu      sync.Mutex
	waiting []*pipelineCall
	running int
}

// pipelineCall is one call of Pipeline.
type pipelineCall struct {
	ctx    context.Context
	weight int
	key    string // see Set.Durable
	queue  func(redis.Pipeliner)
	queued chan struct{} // closed when queue has returned
	done   chan struct{} // closed when err is set
	err    error         // of CheckReplicated

	isTaken bool // a pipeline is going to call queue, or has called it; guarded by the pipeline's mu
}

// Pipeline sends the commands that queue adds to a pipeline, and returns when Redis has replied to them.
// Each command has its own error. weight is roughly how long Redis needs for the commands, in units of
// 0.1 ms. Commands may be sent twice. queue may run in another goroutine, and must not block.
//
// Pipeline returns an error only if ctx is done. The caller must then not use the commands, because
// they may still be running.
func (s *Set) Pipeline(ctx context.Context, weight int, queue func(redis.Pipeliner)) error {
	return s.pipeline.do(ctx, weight, "", queue)
}

// Do sends a single command, which queue adds, through [Set.Pipeline]. It returns the error of Pipeline
// or, if that is nil, of the command.
func Do[C redis.Cmder](ctx context.Context, s *Set, weight int, queue func(redis.Pipeliner) C) (cmd C, err error) {
	err = s.Pipeline(ctx, weight, func(pipe redis.Pipeliner) { cmd = queue(pipe) })
	if err == nil {
		err = cmd.Err()
	}
	return cmd, err
}

func (p *sharedPipeline) do(ctx context.Context, weight int, key string, queue func(redis.Pipeliner)) error {
	if p.isCluster {
		pipe := p.client.Pipeline()
		queue(pipe)
		pipe.Exec(ctx)
		return ctx.Err()
	}
	call := &pipelineCall{ctx: ctx, weight: weight, key: key, queue: queue, queued: make(chan struct{}), done: make(chan struct{})}
	p.mu.Lock()
	p.waiting = append(p.waiting, call)
	if p.running < p.maxRunning {
		p.running++
		go p.run()
	}
	p.mu.Unlock()
	select {
	case <-call.done:
		return call.err
	case <-ctx.Done():
		p.mu.Lock()
		isTaken := call.isTaken
		p.mu.Unlock()
		if isTaken {
			<-call.queued // until then, queue may still use the caller's variables
		}
		return ctx.Err()
	}
}

// run sends pipelines until no caller is waiting.
func (p *sharedPipeline) run() {
	for calls := p.next(); len(calls) > 0; calls = p.next() {
		pipe := p.client.Pipeline()
		for _, call := range calls {
			call.queue(pipe)
			close(call.queued)
		}
		ctx, cancel := context.WithTimeout(context.Background(), pipelineTimeout)
		var wait *redis.Cmd
		if p.isDurable {
			wait = markAndWait(ctx, pipe, calls[0].key)
		}
		pipe.Exec(ctx)
		cancel()
		err := CheckReplicated(wait)
		for _, call := range calls {
			call.err = err
			close(call.done)
		}
	}
}

// next returns the calls for the next pipeline, in the order in which they arrived.
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
			call.isTaken = true
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
