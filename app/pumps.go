package main

import (
	"runtime"
	"sync"
	"time"
)

const (
	// takenMost is how many feeds a pump takes from the queue at once.
	takenMost = 16
	// answerWait is how long an answer waits for the entry it is about. That comes at
	// once if nobody else says much, and with the next round otherwise.
	answerWait = 5 * time.Millisecond
)

// pumps are a few goroutines, one for each processor, that write to the feeds that
// have something to read. None waits for a client or for Redis: where a feed would
// make it wait, a goroutine of that feed goes on.
type pumps struct {
	mu    sync.Mutex
	more  sync.Cond
	queue []*feed // in the order in which they became ready
	held  []*feed // with answers that wait
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

// later has a feed's answers written soon, if they are not by then.
func (p *pumps) later(f *feed) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held = append(p.held, f)
	if len(p.held) == 1 {
		time.AfterFunc(answerWait, p.release)
	}
}

// release has the answers written that wait.
func (p *pumps) release() {
	p.mu.Lock()
	held := p.held
	p.held = nil
	p.mu.Unlock()
	for _, feed := range held {
		feed.answerNow()
	}
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
