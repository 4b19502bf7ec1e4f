package main

import (
	"runtime"
	"sync"
)

// pumps are a few goroutines, one for each processor, that write to the feeds that
// have something to read. None waits for a client or for Redis: where a feed would
// make it wait, a goroutine of that feed goes on.
type pumps struct {
	mu    sync.Mutex
	more  sync.Cond
	queue []*feed // in the order in which they became ready
	ended bool
}

// run serves feeds until end was called and none is left.
func (p *pumps) run() {
	var running sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		running.Go(func() {
			for feed := p.next(); feed != nil; feed = p.next() {
				feed.pump(false)
			}
		})
	}
	running.Wait()
}

// push has a feed pumped.
func (p *pumps) push(f *feed) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.queue = append(p.queue, f)
	p.more.Signal()
}

// next waits for a feed; nil is the end.
func (p *pumps) next() *feed {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.queue) == 0 && !p.ended {
		p.more.Wait()
	}
	if len(p.queue) == 0 {
		return nil
	}
	next := p.queue[0]
	p.queue[0] = nil
	p.queue = p.queue[1:]
	return next
}

// end has run return.
func (p *pumps) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = true
	p.more.Broadcast()
}
