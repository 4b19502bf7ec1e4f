package chat

import (
	"cmp"
	"log/slog"
	"slices"
	"sync"
	"time"

	"burble/app/identity"
	"burble/streams"

	"github.com/google/uuid"
)

const (
	// roomInterval is the least time between two updates of a room. A crowd that arrives one by
	// one costs a few commands, not one for each user.
	roomInterval = 500 * time.Millisecond
	// leaveGrace is the default of Options.LeaveGrace.
	leaveGrace = 5 * time.Second
)

// Listener is a connection that is notified of who is in a room. A *live.Feed is one.
type Listener interface {
	Notify(frame []byte)
	Closed() bool
}

// presence keeps Redis up to date about who is in which room through this server. It knows the
// connections of this server only; Redis combines those of all servers.
type presence struct {
	store  *streams.Store
	log    *slog.Logger
	encode func(room string, count int, people []streams.User) []byte
	server string        // the name of this process in Redis
	grace  time.Duration // Options.LeaveGrace
	wake   chan struct{} // has room for one

	lastHeartbeat time.Time // only used by run

	mu    sync.Mutex
	rooms map[string]*occupants
}

// occupants are the members of one room through this server.
type occupants struct {
	members    map[string]*member // by user ID
	listeners  []Listener         // to be notified with the next update, once
	lastUpdate time.Time
	countDue   time.Time // when to signal how many people are in the room; zero: not at all
}

// member is a user who is in a room.
type member struct {
	user        streams.User
	connections int
	left        time.Time // when the last connection left; zero while there is one
	isReported  bool      // Redis knows that the user is here
}

func newPresence(store *streams.Store, options Options) *presence {
	return &presence{
		store: store, log: options.Log, encode: options.EncodePresent, server: uuid.NewString(),
		grace: cmp.Or(options.LeaveGrace, leaveGrace), wake: make(chan struct{}, 1), rooms: make(map[string]*occupants),
	}
}

// join implements Service.Join.
func (p *presence) join(name string, user identity.User, listener Listener) {
	p.mu.Lock()
	defer p.mu.Unlock()
	room := p.room(name)
	room.listeners = append(room.listeners, listener)
	if !user.IsZero() {
		joined := room.members[user.ID]
		if joined == nil {
			joined = &member{}
			room.members[user.ID] = joined
		}
		joined.isReported = joined.isReported && joined.user.Name == user.Name
		joined.user = streams.User(user)
		joined.connections++
		joined.left = time.Time{}
	}
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// leave implements Service.Leave.
func (p *presence) leave(name string, user identity.User, now time.Time) {
	if user.IsZero() {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if leaving := p.room(name).members[user.ID]; leaving != nil {
		if leaving.connections--; leaving.connections <= 0 {
			leaving.left = now
		}
	}
}

// room returns the occupants of a room. The caller holds mu.
func (p *presence) room(name string) *occupants {
	room := p.rooms[name]
	if room == nil {
		room = &occupants{members: make(map[string]*member)}
		p.rooms[name] = room
	}
	return room
}

func (p *presence) hasPeople() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, room := range p.rooms {
		if len(room.members) > 0 {
			return true
		}
	}
	return false
}

// update holds the pending changes of one room.
type update struct {
	room          string
	arrived, left []streams.User // to record in Redis
	listeners     []Listener     // to notify
	countDue      bool           // signal how many people are in the room
}

// takeUpdates returns the updates that are due. Arrivals count as reported from now on. Users who
// left are kept until Redis has recorded it: otherwise they would stay there for ever if that
// failed.
func (p *presence) takeUpdates(now time.Time) []update {
	p.mu.Lock()
	defer p.mu.Unlock()
	var updates []update
	for name, room := range p.rooms {
		if now.Sub(room.lastUpdate) < roomInterval {
			continue
		}
		next := room.takeUpdate(name, now, p.grace)
		if next.countDue || len(next.arrived)+len(next.left)+len(next.listeners) > 0 {
			updates = append(updates, next)
			room.lastUpdate = now
		} else if len(room.members) == 0 && room.countDue.IsZero() {
			delete(p.rooms, name)
		}
	}
	return updates
}

// takeUpdate returns the room's next update, which may be empty. The caller holds the presence's mu.
func (o *occupants) takeUpdate(name string, now time.Time, grace time.Duration) update {
	next := update{room: name, listeners: o.listeners}
	o.listeners = nil
	if next.countDue = !o.countDue.IsZero() && !now.Before(o.countDue); next.countDue {
		o.countDue = time.Time{}
	}
	for _, member := range o.members {
		switch {
		case !member.left.IsZero() && now.Sub(member.left) >= grace:
			next.left = append(next.left, member.user)
		case !member.isReported:
			next.arrived = append(next.arrived, member.user)
			member.isReported = true
		}
	}
	return next
}

// forget removes users after Redis has recorded that they left. A user who has come back in the
// meantime is reported again.
func (p *presence) forget(name string, left []streams.User) {
	p.mu.Lock()
	defer p.mu.Unlock()
	members := p.room(name).members
	for _, user := range left {
		if members[user.ID].left.IsZero() {
			members[user.ID].isReported = false
		} else {
			delete(members, user.ID)
		}
	}
}

// notifyLater notifies the listeners that are still open with the room's next update.
func (p *presence) notifyLater(name string, listeners []Listener) {
	p.mu.Lock()
	defer p.mu.Unlock()
	room := p.room(name)
	room.listeners = append(room.listeners, slices.DeleteFunc(listeners, Listener.Closed)...)
}

// signalCountAt signals how many people are in the room with the first update after the given time.
func (p *presence) signalCountAt(name string, at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.room(name).countDue = at
}

// reportAgain reports the room's members with its next update.
func (p *presence) reportAgain(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.room(name).reportAgain()
}

// reportAllAgain reports the members of every room with its next update.
func (p *presence) reportAllAgain() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, room := range p.rooms {
		room.reportAgain()
	}
}

// reportAgain is reportAgain for one room. The caller holds the presence's mu.
func (o *occupants) reportAgain() {
	for _, member := range o.members {
		member.isReported = false
	}
}
