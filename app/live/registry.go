package live

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"burble/app/ws"
)

// drainSpread is the maximum time over which a draining server spreads the closing of its feeds.
const drainSpread = 5 * time.Second

// registry holds the open feeds. It sends heartbeats to them, notifies them of the status of Redis,
// and drains them.
type registry struct {
	heartbeat time.Duration // interval between heartbeats of a feed

	mu       sync.Mutex
	feeds    map[*Feed]time.Time // time of the last heartbeat
	away     bool                // whether Redis is away
	draining bool
	open     sync.WaitGroup
}

// add registers a feed. It returns false if the server is draining. If Redis is already away, it
// notifies the feed.
func (r *registry) add(f *Feed) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.draining {
		return false
	}
	if r.feeds == nil {
		r.feeds = make(map[*Feed]time.Time)
	}
	r.feeds[f] = time.Now()
	r.open.Add(1)
	if r.away {
		f.notifyStatus(true)
	}
	return true
}

func (r *registry) remove(f *Feed) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.feeds, f)
	r.open.Done()
}

func (r *registry) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.feeds)
}

func (r *registry) isDraining() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.draining
}

// setAway sets the status of Redis and returns the feeds to notify.
func (r *registry) setAway(away bool) []*Feed {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.away = away
	return r.list()
}

// list returns the feeds in arbitrary order. The caller must hold mu.
func (r *registry) list() []*Feed {
	list := make([]*Feed, 0, len(r.feeds))
	for f := range r.feeds {
		list = append(list, f)
	}
	return list
}

// sendHeartbeats sends each feed a heartbeat every r.heartbeat, until ctx ends.
func (r *registry) sendHeartbeats(ctx context.Context) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			for _, f := range r.due(now) {
				f.notifyHeartbeat()
			}
		}
	}
}

// due returns the feeds whose next heartbeat is due, and records the heartbeat as sent.
func (r *registry) due(now time.Time) []*Feed {
	r.mu.Lock()
	defer r.mu.Unlock()
	var due []*Feed
	for f, last := range r.feeds {
		if now.Sub(last) >= r.heartbeat {
			r.feeds[f] = now
			due = append(due, f)
		}
	}
	return due
}

// drain implements Engine.Drain.
func (r *registry) drain(ctx context.Context) {
	r.mu.Lock()
	r.draining = true
	list := r.list()
	r.mu.Unlock()
	rand.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	spread := min(drainSpread, time.Duration(len(list))*20*time.Millisecond)
	for i, f := range list {
		if i > 0 {
			select {
			case <-ctx.Done():
			case <-time.After(spread / time.Duration(len(list))):
			}
		}
		f.HangUp(ws.CloseRestart, restartReason)
	}
	closed := make(chan struct{})
	go func() { r.open.Wait(); close(closed) }()
	select {
	case <-closed:
	case <-ctx.Done():
	}
}
