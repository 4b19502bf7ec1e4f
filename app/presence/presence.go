package presence

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

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

// Store records and reads presence in Redis. The Store of package streams implements it.
type Store interface {
	// UpdatePresence records arrivals and departures through a server.
	UpdatePresence(ctx context.Context, server string, changes ...streams.PresenceChange) []streams.PresenceOutcome
	// Present reads the users in each visit's room, or returns streams.ErrHidden for a room that the visitor may not read.
	Present(ctx context.Context, queries ...streams.PresenceQuery) []streams.Present
	// Heartbeat, RemoveServer and RemoveDeadServers maintain the list of servers that are alive.
	Heartbeat(ctx context.Context, server string, timeout time.Duration) (wasListed bool, err error)
	RemoveServer(ctx context.Context, server string) error
	RemoveDeadServers(ctx context.Context) error
	// Away reports whether any part of Redis is unreachable.
	Away() bool
}

// Options configure a Presence.
type Options struct {
	Log *slog.Logger
	// LeaveGrace is how long a user may be disconnected before they count as having left the room. It must be
	// long enough to reload a page or to reconnect. 0 means 5 s.
	LeaveGrace time.Duration
	// Encode encodes the list of people in a room for Listener.Notify. All listeners of the room share
	// the returned frame.
	Encode func(room string, count int, people []streams.User) []byte
}

// A recipient is a listener with the access of its user.
type recipient struct {
	Listener
	by streams.Access
}

// Presence records in Redis which users are in which room through this server. Redis combines the
// records of all servers.
type Presence struct {
	store      Store
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
	recipients []recipient        // to notify once, with the next update
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

// New returns a Presence. Its methods return at once; Run updates Redis.
func New(store Store, options Options) *Presence {
	return &Presence{
		store: store, log: options.Log, encode: options.Encode, server: uuid.NewString(),
		grace: cmp.Or(options.LeaveGrace, leaveGrace), wake: make(chan struct{}, 1),
		heartbeats: heartbeats{interval: heartbeatInterval, timeout: streams.ServerTimeout},
		rooms:      make(map[string]*occupants), pending: make(map[string]bool),
	}
}

// Join counts one connection of the user in the room and sends the list of people there to the
// listener once, if by may see it. It does not count users without an ID. If the user's connections have
// different names, everyone sees the one with the latest NamedAt.
func (p *Presence) Join(name string, user streams.Arrival, by streams.Access, listener Listener) {
	p.mu.Lock()
	defer p.mu.Unlock()
	room := p.markChanged(name)
	room.recipients = append(room.recipients, recipient{listener, by})
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

// Leave undoes one call to Join for the user.
func (p *Presence) Leave(name, userID string) { p.leave(name, userID, time.Now()) }

func (p *Presence) leave(name, userID string, now time.Time) {
	if userID == "" {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if leaving := p.markChanged(name).members[userID]; leaving != nil {
		if leaving.connections--; leaving.connections <= 0 {
			leaving.left = now
		}
	}
}

// markChanged marks a room as one that may have an update, and returns its occupants. It creates them if
// needed. The caller must hold mu.
func (p *Presence) markChanged(name string) *occupants {
	p.pending[name] = true
	room := p.rooms[name]
	if room == nil {
		room = &occupants{members: make(map[string]*member)}
		p.rooms[name] = room
	}
	return room
}

func (p *Presence) hasPeople() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, room := range p.rooms {
		if len(room.members) > 0 {
			return true
		}
	}
	return false
}

// removeLeft removes users after Redis has recorded that they left. Users who have come back since then are
// reported again with the room's next update.
func (p *Presence) removeLeft(name string, left []streams.User) {
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
func (p *Presence) notifyLater(name string, added []recipient) {
	p.mu.Lock()
	defer p.mu.Unlock()
	room := p.markChanged(name)
	room.recipients = append(room.recipients, slices.DeleteFunc(added, recipient.Closed)...)
}

// signalCountAt schedules a signal with the number of people in the room, for the first update at or
// after the given time.
func (p *Presence) signalCountAt(name string, at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.markChanged(name).countDue = at
}

// reportAgain includes all of the room's members in its next update.
func (p *Presence) reportAgain(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.markChanged(name).reportAgain()
}

// reportAllAgain includes all members of every room in the next updates.
func (p *Presence) reportAllAgain() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for name, room := range p.rooms {
		p.pending[name] = true
		room.reportAgain()
	}
}

// reportAgain includes all members in the room's next update. The caller must hold Presence.mu.
func (o *occupants) reportAgain() {
	for _, member := range o.members {
		member.isReported = false
	}
}
