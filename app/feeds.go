package main

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

const (
	// beatEvery is shorter than the 55 s after which Heroku's router gives up.
	beatEvery = 20 * time.Second
	// drainFor is over how much time the sessions of a server that goes away are
	// sent elsewhere, so that they do not arrive all at once.
	drainFor = 5 * time.Second
)

// feeds are the connections that read rooms in this process: whom to send a
// heartbeat, and whom to send away at the end. What they read is theirs alone.
type feeds struct {
	mu       sync.Mutex
	all      map[*feed]time.Time // to when it was last shown that it lives
	draining bool
	open     sync.WaitGroup
}

// add counts a feed in, unless the server is going away.
func (s *feeds) add(f *feed) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draining {
		return false
	}
	if s.all == nil {
		s.all = make(map[*feed]time.Time)
	}
	s.all[f] = time.Now()
	s.open.Add(1)
	return true
}

func (s *feeds) remove(f *feed) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.all, f)
	s.open.Done()
}

func (s *feeds) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.all)
}

// list is the feeds of this moment, in no order.
func (s *feeds) list() []*feed {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]*feed, 0, len(s.all))
	for f := range s.all {
		list = append(list, f)
	}
	return list
}

// isDraining says whether new ones are refused.
func (s *feeds) isDraining() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.draining
}

// run sends heartbeats until ctx ends.
func (s *feeds) run(ctx context.Context) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			for _, f := range s.due(now) {
				f.beat()
			}
		}
	}
}

// due is whom it is time to send a heartbeat.
func (s *feeds) due(now time.Time) []*feed {
	s.mu.Lock()
	defer s.mu.Unlock()
	var due []*feed
	for f, last := range s.all {
		if now.Sub(last) >= beatEvery {
			s.all[f] = now
			due = append(due, f)
		}
	}
	return due
}

// drain refuses new feeds and sends the present ones away one by one, spread
// over a few seconds, and returns when they are gone or ctx ends.
func (s *feeds) drain(ctx context.Context) {
	s.mu.Lock()
	s.draining = true
	s.mu.Unlock()
	list := s.list()
	rand.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	spread := min(drainFor, time.Duration(len(list))*20*time.Millisecond)
	for i, f := range list {
		if i > 0 {
			select {
			case <-ctx.Done():
			case <-time.After(spread / time.Duration(len(list))):
			}
		}
		f.hangUp(closeRestart, "the server is going away: come back")
	}
	gone := make(chan struct{})
	go func() { s.open.Wait(); close(gone) }()
	select {
	case <-gone:
	case <-ctx.Done():
	}
}
