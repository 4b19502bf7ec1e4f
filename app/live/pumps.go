package live

import (
	"runtime"
	"sync"
)

// pumpBatch is the maximum number of feeds that a pump takes from the queue at once.
const pumpBatch = 16

// pumps are goroutines, one per processor, that serve feeds with something to write. They never
// block. A feed that would block continues in its own goroutine.
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
			var buffer [pumpBatch]*Feed
			for feeds := p.next(buffer[:0]); len(feeds) > 0; feeds = p.next(buffer[:0]) {
				for _, feed := range feeds {
					feed.pump(nil)
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

// next waits for feeds and appends some of them to buffer, up to its capacity. buffer must be empty.
// After end has been called and the queue is empty, next returns no feeds.
func (p *pumps) next(buffer []*Feed) []*Feed {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.queue) == 0 && !p.ended {
		p.ready.Wait()
	}
	count := min(len(p.queue), cap(buffer), 1+len(p.queue)/runtime.GOMAXPROCS(0))
	buffer = append(buffer, p.queue[:count]...)
	clear(p.queue[:count])
	p.queue = p.queue[count:]
	return buffer
}

// end makes run return when the queue is empty.
func (p *pumps) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = true
	p.ready.Broadcast()
}
