package chat

import (
	"context"
	"time"

	"burble/streams"
)

const (
	// heartbeatInterval is how often a server sends a heartbeat to Redis while people are in its
	// rooms. One heartbeat covers all rooms, and one may fail within streams.ServerTimeout.
	heartbeatInterval = 25 * time.Second
	// arrivalDelay is how long run waits after an arrival for others to batch with it. A thousand
	// users who arrive at once then need only one update.
	arrivalDelay = 50 * time.Millisecond
	// maxUpdate is the maximum number of users that one script call updates.
	maxUpdate = 500
	// removeTimeout bounds the removal of this server's presence at shutdown.
	removeTimeout = 2 * time.Second
)

// run updates Redis until ctx ends. It then removes this server's presence.
func (p *presence) run(ctx context.Context) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			p.removeServer()
			return
		case <-p.wake:
			time.Sleep(arrivalDelay)
		case <-ticker.C:
		}
		if p.store.Away() {
			continue // the changes stay queued until Redis is back
		}
		now := time.Now()
		p.heartbeat(ctx, now)
		for _, update := range p.takeUpdates(now) {
			p.apply(ctx, update)
		}
	}
}

// removeServer removes everyone who is present through this server from Redis. A user who reconnects
// to another server in time does not count as having left.
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

// heartbeat sends a heartbeat to Redis if one is due and this server has people in its rooms. It also
// removes servers whose heartbeats have stopped.
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

// apply records the update in Redis and then notifies the listeners.
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

// record records arrivals and departures in Redis. After an error it schedules all of the room's
// members to be reported again.
func (p *presence) record(ctx context.Context, update update) {
	for arrived, left := update.arrived, update.left; len(arrived)+len(left) > 0; {
		here, gone := arrived[:min(len(arrived), maxUpdate)], left[:min(len(left), maxUpdate)]
		countDue, err := p.store.UpdatePresence(ctx, update.room, p.server, here, gone)
		if err != nil {
			p.log.Debug("cannot update presence", "room", update.room, "error", err)
			p.reportAgain(update.room)
			return
		}
		p.removeLeft(update.room, gone)
		if countDue {
			p.signalCountAt(update.room, time.Now().Add(streams.CountInterval))
		}
		arrived, left = arrived[len(here):], left[len(gone):]
	}
}

// notify sends the list of people in the room to the listeners.
func (p *presence) notify(ctx context.Context, room string, listeners []Listener) {
	count, people, err := p.store.ForUser(streams.User{}).Present(ctx, room)
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
