package main

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"burble/app/identity"
	"burble/app/protocol"
	"burble/streams"

	"github.com/google/uuid"
)

const (
	// presenceBeat is how often a server with people says that it lives: one beat
	// may fail within streams.ServerTimeout. It is one for all rooms.
	presenceBeat = 25 * time.Second
	// presenceGather is how long newcomers wait for others, so that a thousand
	// who come at once are one question to Redis.
	presenceGather = 50 * time.Millisecond
	// presenceAgain is how long a room of which Redis was told is left alone then: a
	// crowd that trickles in costs a few questions, not one for each gathering.
	presenceAgain = 500 * time.Millisecond
	// presenceGrace is how long somebody may be away before it counts as leaving:
	// a reloaded page, a socket that broke.
	presenceGrace = 5 * time.Second
	// presenceMost is how many people one script names.
	presenceMost = 500
)

// presence tells Redis who is in which room by this server. What it knows is
// about this server's own sockets; who is in a room, Redis knows.
type presence struct {
	store  *streams.Store
	log    *slog.Logger
	server string // names this process in Redis
	wake   chan struct{}

	mu     sync.Mutex
	rooms  map[string]*crowd
	beaten time.Time
}

// crowd is who is in one room by this server.
type crowd struct {
	people map[string]*person // by user ID
	askers []*feed            // to be told who is here
	toldAt time.Time          // when Redis was told or asked of it
	owedAt time.Time          // when its readers are to be told their number; zero: never
}

type person struct {
	user    streams.User
	sockets int
	leftAt  time.Time // when the last socket went; zero while one is there
	said    bool      // Redis was told that they are here
}

func newPresence(store *streams.Store, log *slog.Logger) *presence {
	return &presence{
		store: store, log: log, server: uuid.NewString(),
		wake: make(chan struct{}, 1), rooms: make(map[string]*crowd),
	}
}

// join counts a socket in, and has the feed told who is in the room. A guest
// without a name is told, not counted.
func (p *presence) join(room string, user identity.User, asker *feed) {
	p.mu.Lock()
	defer p.mu.Unlock()
	here := p.crowd(room)
	here.askers = append(here.askers, asker)
	if !user.IsZero() {
		someone := here.people[user.ID]
		if someone == nil {
			someone = &person{}
			here.people[user.ID] = someone
		}
		someone.said = someone.said && someone.user.Name == user.Name
		someone.user = streams.User(user)
		someone.sockets++
		someone.leftAt = time.Time{}
	}
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// leave counts a socket out.
func (p *presence) leave(room string, user identity.User, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if user.IsZero() {
		return
	}
	if someone := p.crowd(room).people[user.ID]; someone != nil {
		if someone.sockets--; someone.sockets <= 0 {
			someone.leftAt = now
		}
	}
}

func (p *presence) crowd(room string) *crowd {
	here := p.rooms[room]
	if here == nil {
		here = &crowd{people: make(map[string]*person)}
		p.rooms[room] = here
	}
	return here
}

// run tells Redis until ctx ends, and then that everybody here has left.
func (p *presence) run(ctx context.Context) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			p.end()
			return
		case <-p.wake:
			time.Sleep(presenceGather)
		case <-ticker.C:
		}
		if p.store.Away() {
			continue // everybody is here still, and will be said again
		}
		now := time.Now()
		p.beat(ctx, now)
		for _, change := range p.changes(now) {
			p.tell(ctx, change)
		}
	}
}

// end has everybody leave. Who comes back by another server in time has not left.
func (p *presence) end() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if p.beaten.IsZero() {
		return
	}
	if err := p.store.RemoveServer(ctx, p.server); err != nil {
		p.log.Debug("cannot say that all have left", "error", err)
	}
}

// beat says that this server lives, if there is somebody here, and looks for those
// that died.
func (p *presence) beat(ctx context.Context, now time.Time) {
	if now.Sub(p.beaten) < presenceBeat || !p.hasPeople() {
		return
	}
	p.beaten = now
	known, err := p.store.Heartbeat(ctx, p.server, streams.ServerTimeout)
	if !known {
		p.unsaidAll()
	}
	if err == nil {
		err = p.store.RemoveDeadServers(ctx)
	}
	if err != nil {
		p.log.Debug("cannot beat", "error", err)
	}
}

func (p *presence) hasPeople() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, crowd := range p.rooms {
		if len(crowd.people) > 0 {
			return true
		}
	}
	return false
}

// change is what Redis is to be told of one room.
type change struct {
	room       string
	here, gone []streams.User
	askers     []*feed
	owed       bool // the number, to its readers
}

// changes are what to tell Redis now, which is taken for told. But who left is not
// forgotten before: it would be here for ever.
func (p *presence) changes(now time.Time) []change {
	p.mu.Lock()
	defer p.mu.Unlock()
	var changes []change
	for room, crowd := range p.rooms {
		if now.Sub(crowd.toldAt) < presenceAgain {
			continue
		}
		next := change{room: room, askers: crowd.askers}
		crowd.askers = nil
		if next.owed = !crowd.owedAt.IsZero() && !now.Before(crowd.owedAt); next.owed {
			crowd.owedAt = time.Time{}
		}
		for _, someone := range crowd.people {
			switch {
			case !someone.leftAt.IsZero() && now.Sub(someone.leftAt) >= presenceGrace:
				next.gone = append(next.gone, someone.user)
			case !someone.said:
				next.here = append(next.here, someone.user)
				someone.said = true
			}
		}
		if next.owed || len(next.here)+len(next.gone)+len(next.askers) > 0 {
			changes = append(changes, next)
			crowd.toldAt = now
		} else if len(crowd.people) == 0 && crowd.owedAt.IsZero() {
			delete(p.rooms, room)
		}
	}
	return changes
}

// tell says it to Redis, and to those who asked who is in the room.
func (p *presence) tell(ctx context.Context, change change) {
	for here, gone := change.here, change.gone; len(here)+len(gone) > 0; {
		some, others := here[:min(len(here), presenceMost)], gone[:min(len(gone), presenceMost)]
		owed, err := p.store.UpdatePresence(ctx, change.room, p.server, some, others)
		if err != nil {
			p.log.Debug("cannot say who is here", "room", change.room, "error", err)
			p.unsaid(change.room)
			break
		}
		p.forget(change.room, others)
		if owed {
			p.owe(change.room, time.Now().Add(streams.CountInterval))
		}
		here, gone = here[len(some):], gone[len(others):]
	}
	if change.owed {
		if err := p.store.SignalCount(ctx, change.room); err != nil {
			p.log.Debug("cannot tell how many are here", "room", change.room, "error", err)
			p.owe(change.room, time.Now())
		}
	}
	if len(change.askers) == 0 {
		return
	}
	// One read for all who ask, as a visitor without a name: the least that any of them may see.
	count, people, err := p.store.As(streams.User{}).Present(ctx, change.room)
	if err != nil {
		p.log.Debug("cannot see who is here", "room", change.room, "error", err)
		p.ask(change.room, change.askers)
		return
	}
	frame := webSocketFrame(opText, protocol.EncodePresent(change.room, count, people))
	for _, asker := range change.askers {
		asker.note(frame)
	}
}

// forget is for people of whom Redis was told that they left. Who came back meanwhile
// is said to be here again.
func (p *presence) forget(room string, gone []streams.User) {
	p.mu.Lock()
	defer p.mu.Unlock()
	people := p.crowd(room).people
	for _, user := range gone {
		if people[user.ID].leftAt.IsZero() {
			people[user.ID].said = false
		} else {
			delete(people, user.ID)
		}
	}
}

// ask has the feeds told a little later who is in the room, if they are still there.
func (p *presence) ask(room string, askers []*feed) {
	p.mu.Lock()
	defer p.mu.Unlock()
	here := p.crowd(room)
	here.askers = append(here.askers, slices.DeleteFunc(askers, (*feed).isClosed)...)
}

// owe has the room's readers told at the given time how many they are.
func (p *presence) owe(room string, at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.crowd(room).owedAt = at
}

// unsaid has the people of a room said again a little later.
func (p *presence) unsaid(room string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.crowd(room).unsaid()
}

// unsaidAll has everybody said again.
func (p *presence) unsaidAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, crowd := range p.rooms {
		crowd.unsaid()
	}
}

// unsaid has the people said again. The caller holds the presence's mu.
func (c *crowd) unsaid() {
	for _, someone := range c.people {
		someone.said = false
	}
}
