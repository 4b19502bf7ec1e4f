package live

import (
	"sync"
	"sync/atomic"
)

// idleWorkers is the most workers that wait for work.
const idleWorkers = 8

// workers are goroutines that work for the goroutines of connections, which then need only the
// smallest stack, 2 KiB. A goroutine that reads, decodes and answers a frame grows its stack to
// 8 KiB or more, and hardly ever shrinks it: a thousand idle connections would have a thousand
// large stacks. With workers there are only a few.
//
// Gain: about a third of the memory of an idle connection. Cost: two switches between
// goroutines for a frame; a client that sends uses its own stack, see package socket. To turn
// it off, call work() in do.
type workers struct {
	jobs    chan func()
	idle    atomic.Int32
	ended   chan struct{}
	running sync.WaitGroup
}

func newWorkers() *workers {
	return &workers{jobs: make(chan func()), ended: make(chan struct{})}
}

// do runs work on a worker, and waits for it.
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

// serve runs the job, and then further ones.
func (w *workers) serve(job func()) {
	for {
		job()
		if w.idle.Add(1) > idleWorkers {
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

// end stops the workers and waits for them. do must not be called after it.
func (w *workers) end() {
	close(w.ended)
	w.running.Wait()
}
