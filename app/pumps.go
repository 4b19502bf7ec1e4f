package main

import (
	"runtime"
	"sync"
)

// takenMost is how many feeds a pump takes from the queue at once.
const takenMost = 16

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
			var room [takenMost]*feed
			for feeds := p.next(room[:0]); len(feeds) > 0; feeds = p.next(room[:0]) {
				for _, feed := range feeds {
					feed.pump(false)
				}
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

// next waits for feeds, and appends a few of those that wait to the empty slice; none is
// the end.
func (p *pumps) next(taken []*feed) []*feed {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.queue) == 0 && !p.ended {
		p.more.Wait()
	}
	count := min(len(p.queue), cap(taken), 1+len(p.queue)/runtime.GOMAXPROCS(0))
	taken = append(taken, p.queue[:count]...)
	clear(p.queue[:count])
	p.queue = p.queue[count:]
	return taken
}

// end has run return.
func (p *pumps) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = true
	p.more.Broadcast()
}
