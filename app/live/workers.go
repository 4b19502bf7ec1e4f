package live

import (
	"sync"
	"sync/atomic"
)

// idleWorkers is how many workers wait for work at most.
const idleWorkers = 8

// workers are goroutines that do work for others, which wait in the smallest stack there is,
// 2 KiB. A goroutine that reads a frame, decodes and answers it grows its stack to 8 KiB or
// more, and hardly gives any of it back; a thousand idle connections would keep a thousand
// grown stacks. With workers only a few stacks are large.
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

// do has a worker do the work, and waits for it.
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

// serve does one job after the other.
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

// end waits for the workers. do must not be called any more.
func (w *workers) end() {
	close(w.ended)
	w.running.Wait()
}
