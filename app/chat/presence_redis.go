package chat

import (
	"context"
	"time"

	"burble/streams"
)

const (
	// heartbeatInterval is how often a server with people in its rooms sends Redis a heartbeat,
	// one for all rooms. One may fail within streams.ServerTimeout.
	heartbeatInterval = 25 * time.Second
	// gatherTime is how long an arrival waits for others, so that a thousand users who arrive at
	// once need only one command.
	gatherTime = 50 * time.Millisecond
	// maxUpdate is the most users that one script updates.
	maxUpdate = 500
	// removeTimeout bounds the removal of this server's presence when it stops.
	removeTimeout = 2 * time.Second
)

// run updates Redis until ctx ends, and then removes everyone who is present through this server.
func (p *presence) run(ctx context.Context) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			p.removeServer()
			return
		case <-p.wake:
			time.Sleep(gatherTime)
		case <-ticker.C:
		}
		if p.store.Away() {
			continue // keep everything, and report it when Redis is back
		}
		now := time.Now()
		p.heartbeat(ctx, now)
		for _, update := range p.takeUpdates(now) {
			p.apply(ctx, update)
		}
	}
}

// removeServer removes everyone who is present through this server. A user who reconnects to
// another server in time does not count as having left.
func (p *presence) removeServer() {
	if p.lastHeartbeat.IsZero() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), removeTimeout)
	defer cancel()
	if err := p.store.RemoveServer(ctx, p.server); err != nil {
		p.log.Debug("cannot remove this server's presence", "error", err)
	}
}

// heartbeat sends Redis a heartbeat if one is due and anyone is here, and removes servers whose
// heartbeats have stopped.
func (p *presence) heartbeat(ctx context.Context, now time.Time) {
	if now.Sub(p.lastHeartbeat) < heartbeatInterval || !p.hasPeople() {
		return
	}
	p.lastHeartbeat = now
	known, err := p.store.Heartbeat(ctx, p.server, streams.ServerTimeout)
	if !known {
		p.reportAllAgain()
	}
	if err == nil {
		err = p.store.RemoveDeadServers(ctx)
	}
	if err != nil {
		p.log.Debug("presence heartbeat failed", "error", err)
	}
}

// apply updates Redis, and then notifies the listeners.
func (p *presence) apply(ctx context.Context, update update) {
	p.record(ctx, update)
	if update.countDue {
		if err := p.store.SignalCount(ctx, update.room); err != nil {
			p.log.Debug("cannot signal the number of people", "room", update.room, "error", err)
			p.signalCountAt(update.room, time.Now())
		}
	}
	if len(update.listeners) > 0 {
		p.notify(ctx, update.room, update.listeners)
	}
}

// record records in Redis who arrived and left. After an error the members are reported again.
func (p *presence) record(ctx context.Context, update update) {
	for arrived, left := update.arrived, update.left; len(arrived)+len(left) > 0; {
		here, gone := arrived[:min(len(arrived), maxUpdate)], left[:min(len(left), maxUpdate)]
		countDue, err := p.store.UpdatePresence(ctx, update.room, p.server, here, gone)
		if err != nil {
			p.log.Debug("cannot update presence", "room", update.room, "error", err)
			p.reportAgain(update.room)
			return
		}
		p.forget(update.room, gone)
		if countDue {
			p.signalCountAt(update.room, time.Now().Add(streams.CountInterval))
		}
		arrived, left = arrived[len(here):], left[len(gone):]
	}
}

// notify notifies the listeners of who is in the room.
func (p *presence) notify(ctx context.Context, room string, listeners []Listener) {
	count, people, err := p.store.As(streams.User{}).Present(ctx, room)
	if err != nil {
		p.log.Debug("cannot read presence", "room", room, "error", err)
		p.notifyLater(room, listeners)
		return
	}
	frame := p.encode(room, count, people)
	for _, listener := range listeners {
		listener.Notify(frame)
	}
}
