package live

import (
	"sync"
	"sync/atomic"
	"time"
)

// maxIdleWorkers is the maximum number of idle workers.
const maxIdleWorkers = 8

const (
	// maxWorkers limits the number of workers, so that few stacks grow when all clients reconnect at once.
	maxWorkers = 64
	// maxWait is how long a job waits while all maxWorkers workers are busy. After that, it gets an additional worker,
	// because the others may be waiting for a Redis that is away.
	maxWait = time.Second
)

// workers are goroutines that run work for the goroutines of connections, which can then keep the
// minimum stack of 2 KiB. A goroutine that reads, decodes and answers a frame grows its stack to
// 8 KiB or more, and the stack rarely shrinks again. Without workers, a thousand idle connections
// would hold a thousand large stacks.
//
// Workers save about a third of the memory of an idle connection, and half of it after 10,000 clients have
// joined a private room at once. They cost two goroutine switches per frame, except for clients that
// store entries, which use their own stacks (see package socket). To turn workers off, replace the body of
// do with a call of work.
type workers struct {
	jobs    chan func()
	counted chan struct{} // holds a value for each worker that counts against maxWorkers
	idle    atomic.Int32
	ended   chan struct{}
	running sync.WaitGroup
}

func newWorkers() *workers {
	return &workers{jobs: make(chan func()), counted: make(chan struct{}, maxWorkers), ended: make(chan struct{})}
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
		w.start(job)
	}
	<-done
}

// start runs the job on a new worker, or on one that becomes idle while start waits.
func (w *workers) start(job func()) {
	leave := func() {}
	select {
	case w.jobs <- job:
		return
	case w.counted <- struct{}{}:
		leave = func() { <-w.counted }
	case <-time.After(maxWait):
	}
	w.running.Go(func() {
		defer leave()
		w.serve(job)
	})
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
