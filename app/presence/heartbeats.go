package presence

import (
	"context"
	"sync"
	"time"
)

const (
	// heartbeatInterval is how often a server sends a heartbeat to Redis while people are in its
	// rooms. It leaves time for one failed heartbeat within streams.ServerTimeout.
	heartbeatInterval = 25 * time.Second
	// heartbeatRetry is how long after a failed heartbeat the next one is due.
	heartbeatRetry = 5 * time.Second
	// heartbeatTimeout limits one heartbeat.
	heartbeatTimeout = 10 * time.Second
)

// heartbeats is the state of a server's heartbeats. They have their own goroutine, so that a server
// that is busy recording presence is not mistaken for dead.
type heartbeats struct {
	interval time.Duration // heartbeatInterval
	timeout  time.Duration // how long Redis considers the server alive after a heartbeat

	mu          sync.Mutex // held while a heartbeat is sent
	next        time.Time  // when the next heartbeat is due; zero means now
	isUncertain bool       // the last heartbeat failed, so Redis may have removed the server
}

// hasBegun reports whether a heartbeat was ever sent.
func (h *heartbeats) hasBegun() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return !h.next.IsZero()
}

// sendHeartbeats sends heartbeats until ctx ends. It continues while part of Redis is away, because the
// heartbeats may be in another part.
func (p *Presence) sendHeartbeats(ctx context.Context) {
	every(ctx, min(time.Second, p.heartbeats.interval), func() { p.heartbeat(ctx, time.Now()) })
}

// heartbeat sends a heartbeat if one is due and this server has people in its rooms. If Redis may have
// removed the server as dead, it reports all people again.
func (p *Presence) heartbeat(ctx context.Context, now time.Time) {
	h := &p.heartbeats
	h.mu.Lock()
	defer h.mu.Unlock()
	if now.Before(h.next) || !p.hasPeople() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, heartbeatTimeout)
	defer cancel()
	wasListed, err := p.store.Heartbeat(ctx, p.server, h.timeout)
	if !wasListed || h.isUncertain {
		p.reportAllAgain()
	}
	h.next, h.isUncertain = now.Add(h.interval), err != nil
	if err != nil {
		h.next = now.Add(min(h.interval, heartbeatRetry))
		p.log.Debug("presence heartbeat failed", "error", err)
	}
}

// removeDeadServers removes servers whose heartbeats have stopped, until ctx ends. It does nothing while
// nobody is in this server's rooms.
func (p *Presence) removeDeadServers(ctx context.Context) {
	every(ctx, p.heartbeats.interval, func() {
		if !p.hasPeople() || p.store.Away() {
			return
		}
		if err := p.store.RemoveDeadServers(ctx); err != nil {
			p.log.Debug("cannot remove dead servers", "error", err)
		}
	})
}

// every calls do at each interval until ctx ends.
func every(ctx context.Context, interval time.Duration, do func()) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			do()
		}
	}
}
