package live

import (
	"runtime"
	"sync"
)

// pumpBatch is the most feeds that a pump takes from the queue at once.
const pumpBatch = 16

// pumps are goroutines, one for each processor, that serve the feeds that have something to write.
// They never block: a feed that would block continues in a goroutine of its own.
type pumps struct {
	mu    sync.Mutex
	ready sync.Cond
	queue []*Feed // in the order in which they became ready
	ended bool
}

// run runs the pumps until end is called and the queue is empty.
func (p *pumps) run() {
	var running sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		running.Go(func() {
			var space [pumpBatch]*Feed
			for feeds := p.next(space[:0]); len(feeds) > 0; feeds = p.next(space[:0]) {
				for _, feed := range feeds {
					feed.pump(false)
				}
			}
		})
	}
	running.Wait()
}

// push queues a feed.
func (p *pumps) push(f *Feed) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.queue = append(p.queue, f)
	p.ready.Signal()
}

// next waits for feeds and appends a few of them to taken, which is empty and has some capacity. It
// returns none after end was called and the queue is empty.
func (p *pumps) next(taken []*Feed) []*Feed {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.queue) == 0 && !p.ended {
		p.ready.Wait()
	}
	count := min(len(p.queue), cap(taken), 1+len(p.queue)/runtime.GOMAXPROCS(0))
	taken = append(taken, p.queue[:count]...)
	clear(p.queue[:count])
	p.queue = p.queue[count:]
	return taken
}

// end makes run return when the queue is empty.
func (p *pumps) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = true
	p.ready.Broadcast()
}
