package chat

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"burble/app/identity"
	"burble/streams"

	"github.com/google/uuid"
)

const (
	// heartbeatInterval is how often a server with people in its rooms tells Redis that it is
	// alive, once for all rooms. One heartbeat may fail within streams.ServerTimeout.
	heartbeatInterval = 25 * time.Second
	// gatherTime is how long arrivals wait for others, so that a thousand at once are one
	// command.
	gatherTime = 50 * time.Millisecond
	// roomInterval is the least time between two updates of one room: a crowd that trickles in
	// costs a few commands, not one for each gathering.
	roomInterval = 500 * time.Millisecond
	// leaveGrace is how long a user may be away before it counts as leaving: a reloaded page,
	// a broken connection.
	leaveGrace = 5 * time.Second
	// maxUpdate is how many users one script names.
	maxUpdate = 500
)

// Listener is a connection that is notified of who is in a room. A *live.Feed is one.
type Listener interface {
	Notify(frame []byte)
	Closed() bool
}

// presence keeps Redis up to date about who is in which room through this server. It knows
// this server's own connections; who is in a room in all, only Redis knows.
type presence struct {
	store  *streams.Store
	log    *slog.Logger
	encode func(room string, count int, people []streams.User) []byte
	server string // names this process in Redis
	wake   chan struct{}

	mu            sync.Mutex
	rooms         map[string]*occupants
	lastHeartbeat time.Time // of run alone
}

// occupants are who is in one room through this server.
type occupants struct {
	people    map[string]*person // by user ID
	listeners []Listener         // to be notified once
	updated   time.Time          // when Redis was last told or asked about the room
	countDue  time.Time          // when to signal the room's number of people; zero: never
}

type person struct {
	user        streams.User
	connections int
	left        time.Time // when the last connection left; zero while there is one
	isReported  bool      // Redis knows that the user is here
}

func newPresence(store *streams.Store, options Options) *presence {
	return &presence{
		store: store, log: options.Log, encode: options.EncodePresent, server: uuid.NewString(),
		wake: make(chan struct{}, 1), rooms: make(map[string]*occupants),
	}
}

// join is Service.Join.
func (p *presence) join(room string, user identity.User, listener Listener) {
	p.mu.Lock()
	defer p.mu.Unlock()
	here := p.room(room)
	here.listeners = append(here.listeners, listener)
	if !user.IsZero() {
		someone := here.people[user.ID]
		if someone == nil {
			someone = &person{}
			here.people[user.ID] = someone
		}
		someone.isReported = someone.isReported && someone.user.Name == user.Name
		someone.user = streams.User(user)
		someone.connections++
		someone.left = time.Time{}
	}
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// leave is Service.Leave.
func (p *presence) leave(room string, user identity.User, now time.Time) {
	if user.IsZero() {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if someone := p.room(room).people[user.ID]; someone != nil {
		if someone.connections--; someone.connections <= 0 {
			someone.left = now
		}
	}
}

// room returns the occupants of a room. The caller holds mu.
func (p *presence) room(room string) *occupants {
	here := p.rooms[room]
	if here == nil {
		here = &occupants{people: make(map[string]*person)}
		p.rooms[room] = here
	}
	return here
}

// run updates Redis until ctx ends, and then removes everyone who is here.
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
			continue // everyone stays, and is reported when it is back
		}
		now := time.Now()
		p.heartbeat(ctx, now)
		for _, update := range p.updates(now) {
			p.apply(ctx, update)
		}
	}
}

// removeServer removes everyone who is here through this server. A user who reconnects to
// another server in time has not left.
func (p *presence) removeServer() {
	if p.lastHeartbeat.IsZero() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if err := p.store.RemoveServer(ctx, p.server); err != nil {
		p.log.Debug("cannot remove this server's presence", "error", err)
	}
}

// heartbeat tells Redis that this server is alive, if anyone is here, and removes servers
// whose heartbeats have stopped.
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

func (p *presence) hasPeople() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, here := range p.rooms {
		if len(here.people) > 0 {
			return true
		}
	}
	return false
}

// update is what Redis is to learn about one room.
type update struct {
	room          string
	arrived, left []streams.User
	listeners     []Listener
	countDue      bool // the number of people is to be signalled
}

// updates returns what to tell Redis now. Arrivals count as reported from here on, but users
// who left are kept until Redis knows: otherwise a failure would leave them there for ever.
func (p *presence) updates(now time.Time) []update {
	p.mu.Lock()
	defer p.mu.Unlock()
	var updates []update
	for room, here := range p.rooms {
		if now.Sub(here.updated) < roomInterval {
			continue
		}
		next := update{room: room, listeners: here.listeners}
		here.listeners = nil
		if next.countDue = !here.countDue.IsZero() && !now.Before(here.countDue); next.countDue {
			here.countDue = time.Time{}
		}
		for _, someone := range here.people {
			switch {
			case !someone.left.IsZero() && now.Sub(someone.left) >= leaveGrace:
				next.left = append(next.left, someone.user)
			case !someone.isReported:
				next.arrived = append(next.arrived, someone.user)
				someone.isReported = true
			}
		}
		if next.countDue || len(next.arrived)+len(next.left)+len(next.listeners) > 0 {
			updates = append(updates, next)
			here.updated = now
		} else if len(here.people) == 0 && here.countDue.IsZero() {
			delete(p.rooms, room)
		}
	}
	return updates
}

// apply tells Redis, then the listeners.
func (p *presence) apply(ctx context.Context, update update) {
	for arrived, left := update.arrived, update.left; len(arrived)+len(left) > 0; {
		some, others := arrived[:min(len(arrived), maxUpdate)], left[:min(len(left), maxUpdate)]
		countOwed, err := p.store.UpdatePresence(ctx, update.room, p.server, some, others)
		if err != nil {
			p.log.Debug("cannot update presence", "room", update.room, "error", err)
			p.reportAgain(update.room)
			break
		}
		p.forget(update.room, others)
		if countOwed {
			p.signalCountAt(update.room, time.Now().Add(streams.CountInterval))
		}
		arrived, left = arrived[len(some):], left[len(others):]
	}
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

// notify tells the listeners who is in the room.
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

// forget drops users of whom Redis knows that they left. One who has come back meanwhile is
// reported again.
func (p *presence) forget(room string, left []streams.User) {
	p.mu.Lock()
	defer p.mu.Unlock()
	people := p.room(room).people
	for _, user := range left {
		if people[user.ID].left.IsZero() {
			people[user.ID].isReported = false
		} else {
			delete(people, user.ID)
		}
	}
}

// notifyLater has the listeners that are still open notified with the next update.
func (p *presence) notifyLater(room string, listeners []Listener) {
	p.mu.Lock()
	defer p.mu.Unlock()
	here := p.room(room)
	here.listeners = append(here.listeners, slices.DeleteFunc(listeners, Listener.Closed)...)
}

// signalCountAt has the room's number of people signalled at the given time.
func (p *presence) signalCountAt(room string, at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.room(room).countDue = at
}

// reportAgain has the people of a room reported with the next update.
func (p *presence) reportAgain(room string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.room(room).reportAgain()
}

// reportAllAgain has everyone reported with the next update.
func (p *presence) reportAllAgain() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, here := range p.rooms {
		here.reportAgain()
	}
}

// reportAgain has the people reported again. The caller holds the presence's mu.
func (o *occupants) reportAgain() {
	for _, someone := range o.people {
		someone.isReported = false
	}
}
