package main

import (
	"sync"
	"sync/atomic"
)

// idleStacks is how many stacks wait for work at most.
const idleStacks = 8

// stacks are goroutines that work for others, which spend their lives waiting in 2 KiB:
// a goroutine's stack grows with what it does, by copying, and hardly shrinks. A few
// that have grown are kept.
type stacks struct {
	jobs    chan func()
	idle    atomic.Int32
	ended   chan struct{}
	running sync.WaitGroup
}

func newStacks() *stacks {
	return &stacks{jobs: make(chan func()), ended: make(chan struct{})}
}

// do has the work done, and waits for it.
func (s *stacks) do(work func()) {
	done := make(chan struct{})
	job := func() {
		defer close(done)
		work()
	}
	select {
	case s.jobs <- job:
	default:
		s.running.Go(func() { s.serve(job) })
	}
	<-done
}

// serve does one job after the other.
func (s *stacks) serve(job func()) {
	for {
		job()
		if s.idle.Add(1) > idleStacks {
			s.idle.Add(-1)
			return
		}
		select {
		case job = <-s.jobs:
			s.idle.Add(-1)
		case <-s.ended:
			return
		}
	}
}

// end waits for the goroutines. Nobody asks them any more.
func (s *stacks) end() {
	close(s.ended)
	s.running.Wait()
}
