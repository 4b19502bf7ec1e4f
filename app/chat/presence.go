package chat

import (
	"cmp"
	"log/slog"
	"math"
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
	// Notify sends the frame, unless the listener no longer reads the room.
	Notify(room string, frame []byte)
	Closed() bool
}

// An audience is a listener and the user for whom it listens.
type audience struct {
	Listener
	user identity.User
}

// presence records in Redis which users are in which room through this server. Redis combines the
// records of all servers.
type presence struct {
	store      *streams.Store
	log        *slog.Logger
	encode     func(room string, count int, people []streams.User) []byte
	server     string        // ID of this process in Redis
	grace      time.Duration // Options.LeaveGrace
	wake       chan struct{} // buffered, capacity 1
	heartbeats heartbeats

	mu      sync.Mutex
	rooms   map[string]*occupants
	pending map[string]bool // names of the rooms that may have an update
}

// occupants holds the users who are in a room through this server.
type occupants struct {
	members    map[string]*member // by user ID
	audience   []audience         // to notify once, with the next update
	lastUpdate time.Time
	countDue   time.Time // when to signal the number of people; zero means no signal is due
}

// member is a user who is in a room.
type member struct {
	user        streams.Arrival // with the latest name
	connections int
	left        time.Time // when the last connection left; zero while a connection is open
	isReported  bool      // whether Redis has recorded that the user is in the room
}

func newPresence(store *streams.Store, options Options) *presence {
	return &presence{
		store: store, log: options.Log, encode: options.EncodePresent, server: uuid.NewString(),
		grace: cmp.Or(options.LeaveGrace, leaveGrace), wake: make(chan struct{}, 1),
		heartbeats: heartbeats{interval: heartbeatInterval, timeout: streams.ServerTimeout},
		rooms:      make(map[string]*occupants), pending: make(map[string]bool),
	}
}

// join implements Service.Join.
func (p *presence) join(name string, user streams.Arrival, listening audience) {
	p.mu.Lock()
	defer p.mu.Unlock()
	room := p.markChanged(name)
	room.audience = append(room.audience, listening)
	if user.ID != "" {
		joined := room.members[user.ID]
		if joined == nil {
			joined = &member{}
			room.members[user.ID] = joined
		}
		if !user.NamedAt.Before(joined.user.NamedAt) {
			joined.isReported = joined.isReported && joined.user.Name == user.Name
			joined.user = user
		}
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
	if leaving := p.markChanged(name).members[user.ID]; leaving != nil {
		if leaving.connections--; leaving.connections <= 0 {
			leaving.left = now
		}
	}
}

// markChanged marks a room as one that may have an update, and returns its occupants. It creates them if
// needed. The caller must hold mu.
func (p *presence) markChanged(name string) *occupants {
	p.pending[name] = true
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
	room     string
	arrived  []streams.Arrival // to record in Redis
	left     []streams.User    // to remove from Redis
	audience []audience        // to notify once
	countDue bool              // whether to signal the number of people in the room
}

// takeUpdates returns the updates that are due, for up to maxRooms rooms and about maxUsers users, and
// whether there are more. It marks their arrivals as reported. It keeps users who left until Redis has
// recorded their departure. Otherwise they would stay in Redis forever if Redis failed.
//
// It takes one room from each connection in turn, so that a connection that joins thousands of rooms
// does not delay the others.
func (p *presence) takeUpdates(now time.Time) (updates []update, more bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	users := 0
	for _, name := range p.dueRooms(now) {
		if len(updates) == maxRooms || users >= maxUsers {
			return updates, true
		}
		room := p.rooms[name]
		next := room.takeUpdate(name, now, p.grace)
		room.lastUpdate = now
		users += len(next.arrived) + len(next.left)
		updates = append(updates, next)
	}
	return updates, false
}

// dueRooms returns the names of the rooms whose updates are due, in the order in which to take them. It
// removes rooms with nothing to update from pending. The caller must hold mu.
func (p *presence) dueRooms(now time.Time) []string {
	var due []string
	turns := make(map[string]int)
	turnsTaken := make(map[any]int) // by connection, or by user who left
	for name := range p.pending {
		room := p.rooms[name]
		causes, later := room.updateCauses(now, p.grace)
		switch {
		case len(causes) > 0 && now.Sub(room.lastUpdate) >= roomInterval:
			turn := math.MaxInt
			for _, cause := range causes {
				turn = min(turn, turnsTaken[cause])
				turnsTaken[cause]++
			}
			turns[name] = turn
			due = append(due, name)
		case len(causes) == 0 && !later:
			delete(p.pending, name)
			if len(room.members) == 0 {
				delete(p.rooms, name)
			}
		}
	}
	slices.SortFunc(due, func(a, b string) int { return cmp.Compare(turns[a], turns[b]) })
	return due
}

// updateCauses returns the connections and users for which an update is due, and whether one will be
// due later. The caller must hold presence.mu.
func (o *occupants) updateCauses(now time.Time, grace time.Duration) (due []any, later bool) {
	for _, one := range o.audience {
		due = append(due, one.Listener)
	}
	if !o.countDue.IsZero() {
		if now.Before(o.countDue) {
			later = true
		} else {
			due = append(due, nil)
		}
	}
	for id, member := range o.members {
		switch {
		case !member.left.IsZero() && now.Sub(member.left) < grace:
			later = true
		case !member.left.IsZero(), !member.isReported:
			due = append(due, id)
		}
	}
	return due, later
}

// takeUpdate returns the room's next update, which may be empty. The caller must hold presence.mu.
func (o *occupants) takeUpdate(name string, now time.Time, grace time.Duration) update {
	next := update{room: name, audience: o.audience}
	o.audience = nil
	if next.countDue = !o.countDue.IsZero() && !now.Before(o.countDue); next.countDue {
		o.countDue = time.Time{}
	}
	for _, member := range o.members {
		switch {
		case !member.left.IsZero() && now.Sub(member.left) >= grace:
			next.left = append(next.left, member.user.User)
		case !member.isReported:
			next.arrived = append(next.arrived, member.user)
			member.isReported = true
		}
	}
	return next
}

// removeLeft removes users after Redis has recorded that they left. It again reports users who have
// since come back.
func (p *presence) removeLeft(name string, left []streams.User) {
	p.mu.Lock()
	defer p.mu.Unlock()
	members := p.markChanged(name).members
	for _, user := range left {
		if members[user.ID].left.IsZero() {
			members[user.ID].isReported = false
		} else {
			delete(members, user.ID)
		}
	}
}

// notifyLater adds the listeners that are still open to the room's next update.
func (p *presence) notifyLater(name string, audiences []audience) {
	p.mu.Lock()
	defer p.mu.Unlock()
	room := p.markChanged(name)
	room.audience = append(room.audience, slices.DeleteFunc(audiences, audience.Closed)...)
}

// signalCountAt schedules a signal with the number of people in the room, for the first update at or
// after the given time.
func (p *presence) signalCountAt(name string, at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.markChanged(name).countDue = at
}

// reportAgain includes all of the room's members in its next update.
func (p *presence) reportAgain(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.markChanged(name).reportAgain()
}

// reportAllAgain includes all members of every room in the next updates.
func (p *presence) reportAllAgain() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for name, room := range p.rooms {
		p.pending[name] = true
		room.reportAgain()
	}
}

// reportAgain includes all members in the room's next update. The caller must hold presence.mu.
func (o *occupants) reportAgain() {
	for _, member := range o.members {
		member.isReported = false
	}
}
