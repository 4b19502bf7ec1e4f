package live

import (
	"sync"
	"sync/atomic"
)

// maxIdleWorkers is the maximum number of idle workers.
const maxIdleWorkers = 8

// workers are goroutines that run work for the goroutines of connections, which can then keep the
// minimum stack of 2 KiB. A goroutine that reads, decodes and answers a frame grows its stack to
// 8 KiB or more, and the stack rarely shrinks again. Without workers, a thousand idle connections
// would hold a thousand large stacks.
//
// Workers save about a third of the memory of an idle connection. They cost two goroutine switches per
// frame, except for clients that store entries, which use their own stacks (see package socket). To
// turn workers off, call work() in do.
type workers struct {
	jobs    chan func()
	idle    atomic.Int32
	ended   chan struct{}
	running sync.WaitGroup
}

func newWorkers() *workers {
	return &workers{jobs: make(chan func()), ended: make(chan struct{})}
}

// do runs work on a worker and waits for it.
func (w *workers) do(work func()) {
	done := make(chan struct{})
	job := func() {
		defer close(done)
		work()
	}
	select {
	case w.jobs <- job:
	default:
		w.running.Go(func() { w.serve(job) })
	}
	<-done
}

// serve runs the job and then further jobs from the channel.
func (w *workers) serve(job func()) {
	for {
		job()
		if w.idle.Add(1) > maxIdleWorkers {
			w.idle.Add(-1)
			return
		}
		select {
		case job = <-w.jobs:
			w.idle.Add(-1)
		case <-w.ended:
			return
		}
	}
}

// end stops the workers and waits for them. do must not be called after end.
func (w *workers) end() {
	close(w.ended)
	w.running.Wait()
}
