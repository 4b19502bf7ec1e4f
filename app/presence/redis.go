package presence

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"burble/streams"
)

const (
	// arrivalDelay is how long recordChanges waits after an arrival, to batch it with others. A thousand
	// users who arrive at once then need only one update.
	arrivalDelay = 50 * time.Millisecond
	// maxRooms and maxUsers limit how long one pipeline of updates keeps Redis busy, to about 5 ms.
	maxRooms = 100
	maxUsers = 500
	// removeTimeout limits the removal of this server's presence at shutdown.
	removeTimeout = 2 * time.Second
)

// Run updates Redis until ctx ends. It then removes this server's presence.
func (p *Presence) Run(ctx context.Context) {
	var running sync.WaitGroup
	running.Go(func() { p.sendHeartbeats(ctx) })
	running.Go(func() { p.removeDeadServers(ctx) })
	p.recordChanges(ctx)
	running.Wait()
	p.removeServer()
}

// recordChanges records arrivals and departures in Redis until ctx ends.
func (p *Presence) recordChanges(ctx context.Context) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.wake:
			time.Sleep(arrivalDelay)
		case <-ticker.C:
		}
		// While Redis is away, the changes stay queued.
		for more := true; more && ctx.Err() == nil && !p.store.Away(); {
			p.heartbeat(ctx, time.Now()) // before the first people arrive, no heartbeats are sent
			var updates []update
			updates, more = p.takeUpdates(time.Now())
			p.apply(ctx, updates)
		}
	}
}

// removeServer removes this server's users from Redis. A user who reconnects to another server in time
// remains present.
func (p *Presence) removeServer() {
	if !p.heartbeats.hasBegun() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), removeTimeout)
	defer cancel()
	if err := p.store.RemoveServer(ctx, p.server); err != nil {
		p.log.Debug("cannot remove this server's presence", "error", err)
	}
}

// apply records the updates in Redis and then notifies their listeners.
func (p *Presence) apply(ctx context.Context, updates []update) {
	p.record(ctx, updates)
	var queries []streams.PresenceQuery
	for _, update := range updates {
		for _, reader := range update.readers() {
			queries = append(queries, streams.PresenceQuery{By: reader.by, Room: update.room})
		}
	}
	if len(queries) == 0 {
		return
	}
	found := p.store.Present(ctx, queries...)
	for _, update := range updates {
		count := len(update.readers())
		p.notify(update, found[:count])
		found = found[count:]
	}
}

// readers returns the recipients with whose access the list of people is read. In a hidden room, these are all
// recipients, because some may have lost their access. In any other room, one reads the list for all of them.
func (u *update) readers() []recipient {
	if streams.IsHidden(u.room) {
		return u.recipients
	}
	return u.recipients[:min(1, len(u.recipients))]
}

// notify sends the list of people to the update's recipients. found holds the list for each of the update's readers.
func (p *Presence) notify(update update, found []streams.Present) {
	listeners := update.recipients
	for i, present := range slices.Backward(found) {
		if errors.Is(present.Err, streams.ErrHidden) {
			listeners, found = slices.Delete(listeners, i, i+1), slices.Delete(found, i, i+1)
		}
	}
	if len(listeners) == 0 {
		return
	}
	present := found[0]
	if present.Err != nil {
		p.log.Debug("cannot read presence", "room", update.room, "error", present.Err)
		p.notifyLater(update.room, listeners)
		return
	}
	frame := p.encode(update.room, present.Count, present.People)
	for _, listener := range listeners {
		listener.Notify(update.room, frame)
	}
	if present.IsOutdated() {
		// The listeners may have received a newer signal before this older list.
		p.notifyLater(update.room, listeners)
	}
}

// record records the updates' arrivals and departures in Redis, up to maxUsers of each room at a time.
// After an error, it includes all of the room's members in its next update.
func (p *Presence) record(ctx context.Context, updates []update) {
	var changes []streams.PresenceChange
	var rest []update
	for _, update := range updates {
		change := streams.PresenceChange{Room: update.room, SignalCount: update.countDue}
		change.Here, update.arrived = splitUsers(update.arrived, maxUsers)
		change.Gone, update.left = splitUsers(update.left, maxUsers)
		if change.SignalCount || len(change.Here)+len(change.Gone) > 0 {
			changes = append(changes, change)
		}
		if update.countDue = false; len(update.arrived)+len(update.left) > 0 {
			rest = append(rest, update)
		}
	}
	if len(changes) == 0 {
		return
	}
	for i, changed := range p.store.UpdatePresence(ctx, p.server, changes...) {
		room := changes[i].Room
		switch {
		case changed.Err != nil:
			p.log.Debug("cannot update presence", "room", room, "error", changed.Err)
			p.reportAgain(room)
			if changes[i].SignalCount {
				p.signalCountAt(room, time.Now())
			}
			continue
		case changed.CountDue:
			p.signalCountAt(room, time.Now().Add(streams.CountInterval))
		}
		p.removeLeft(room, changes[i].Gone)
	}
	p.record(ctx, rest)
}

// splitUsers returns the first users, at most n, and the others.
func splitUsers[T any](users []T, n int) (first, others []T) {
	n = min(n, len(users))
	return users[:n], users[n:]
}
