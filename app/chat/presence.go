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
	// roomInterval is the minimum time between two updates of a room. It batches the arrivals of a
	// crowd into a few commands.
	roomInterval = 500 * time.Millisecond
	// leaveGrace is the default of Options.LeaveGrace.
	leaveGrace = 5 * time.Second
)

// Listener is a connection that receives the list of people in a room. *live.Feed implements it.
type Listener interface {
	Notify(frame []byte)
	Closed() bool
}

// presence records in Redis which users are in which room through this server. Redis combines the
// records of all servers.
type presence struct {
	store  *streams.Store
	log    *slog.Logger
	encode func(room string, count int, people []streams.User) []byte
	server string        // ID of this process in Redis
	grace  time.Duration // Options.LeaveGrace
	wake   chan struct{} // buffered, capacity 1

	lastHeartbeat time.Time // used only by run

	mu    sync.Mutex
	rooms map[string]*occupants
}

// occupants holds the users who are in a room through this server.
type occupants struct {
	members    map[string]*member // by user ID
	listeners  []Listener         // to notify once, with the next update
	lastUpdate time.Time
	countDue   time.Time // when to signal the number of people; zero means no signal is due
}

// member is a user who is in a room.
type member struct {
	user        streams.User
	connections int
	left        time.Time // when the last connection left; zero while a connection is open
	isReported  bool      // whether Redis has recorded that the user is in the room
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

// room returns the occupants of a room. It creates them if needed. The caller must hold mu.
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
	countDue      bool           // whether to signal the number of people in the room
}

// takeUpdates returns the updates that are due and marks their arrivals as reported. It keeps users
// who left until Redis has recorded their departure. If it dropped them and Redis failed, they would
// stay in Redis forever.
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

// takeUpdate returns the room's next update, which may be empty. The caller must hold presence.mu.
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

// removeLeft removes users after Redis has recorded that they left. It reports users who came back
// in the meantime again.
func (p *presence) removeLeft(name string, left []streams.User) {
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

// notifyLater adds the listeners that are still open to the room's next update.
func (p *presence) notifyLater(name string, listeners []Listener) {
	p.mu.Lock()
	defer p.mu.Unlock()
	room := p.room(name)
	room.listeners = append(room.listeners, slices.DeleteFunc(listeners, Listener.Closed)...)
}

// signalCountAt schedules a signal of the number of people in the room, for the first update at or
// after the given time.
func (p *presence) signalCountAt(name string, at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.room(name).countDue = at
}

// reportAgain includes all of the room's members in its next update.
func (p *presence) reportAgain(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.room(name).reportAgain()
}

// reportAllAgain includes all members of every room in the next updates.
func (p *presence) reportAllAgain() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, room := range p.rooms {
		room.reportAgain()
	}
}

// reportAgain includes all members in the room's next update. The caller must hold presence.mu.
func (o *occupants) reportAgain() {
	for _, member := range o.members {
		member.isReported = false
	}
}
