//go:build unix

package chaos

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"burble/app/chaos/bots"
	"burble/app/chaos/check"
)

// phase is one part of a run, with its own rooms and clients. Clients talk while faults happen,
// then the faults are repaired, the clients catch up, and the checker checks what they received.
type phase struct {
	*harness
	number      int
	flushes     bool // Redis is flushed in this phase
	environment *bots.Environment
	followers   []*bots.Follower
	team        *team // nil if the phase has no hidden rooms

	mu       sync.Mutex
	truth    check.Truth
	orphans  map[string][]*check.Entry // entries on an abandoned primary, by room
	failover []*timeSpan               // when there may have been two primaries
	faults   map[string]int            // how many times each fault happened
	isFaulty bool                      // faults may happen
}

// runPhase runs a phase. inject must inject the faults, and return when they are repaired.
func (h *harness) runPhase(flushes bool, inject func(*phase)) *outcome {
	h.phases++
	p := &phase{harness: h, number: h.phases, flushes: flushes, truth: make(check.Truth), faults: make(map[string]int)}
	p.environment = p.newEnvironment()
	if !flushes && h.options.previous == "" && !h.backend.mayLose() {
		if h.people == nil {
			h.people = h.startPeople()
		}
		p.team = p.newTeam(h.people)
		p.environment.Upload = h.people.upload
	}
	clients, stop := context.WithCancel(h.testCtx)
	defer stop()
	var following, talking sync.WaitGroup
	for _, f := range p.newFollowers() {
		p.followers = append(p.followers, f)
		following.Go(func() { f.Run(clients) })
	}
	for i := range 8 {
		author, err := p.environment.NewAuthor(clients, fmt.Sprintf("author %d", i), i%3 > 0, p.publicRooms()...)
		if err != nil {
			h.t.Fatal(err)
		}
		talking.Go(func() { author.Run(clients) })
	}
	if p.team != nil {
		p.startTeam(clients, &talking)
	}
	inject(p)
	h.backend.awaitHealthy()
	repaired := time.Now()
	close(p.environment.Repaired)
	impatient := time.AfterFunc(h.options.patience, stop)
	talking.Wait()
	p.sendLastMessages(clients)
	p.converge(clients)
	o := &outcome{record: &p.environment.Record, sendsFiles: p.environment.Upload != nil, faults: p.faults, converged: time.Since(repaired)}
	impatient.Stop()
	stop()
	following.Wait()
	for _, room := range p.rooms() {
		p.capture(room, nil)
	}
	p.keepOrphans()
	evidence := p.environment.Record.Evidence()
	evidence.Truth, evidence.MayBeOrphan, evidence.MayLose = p.truth, p.mayBeOrphan, p.mayLose
	o.Checker = check.Run(evidence)
	return o
}

// newEnvironment returns the environment of the phase's clients.
func (p *phase) newEnvironment() *bots.Environment {
	s := &bots.Environment{
		Token: p.token, Random: p.newRandom, MayRemoveEntries: p.destroys, MayLose: p.mayLose,
		Repaired: make(chan struct{}), MaxPause: p.options.pause, MessagesOnly: p.options.plain, Faithful: p.options.faithful,
	}
	for _, slot := range p.slots {
		s.Servers = append(s.Servers, slot.proxy.Addr)
	}
	return s
}

// newFollowers returns the followers of a phase, steady and restless ones for each protocol.
func (p *phase) newFollowers() (all []*bots.Follower) {
	for i := range 3 {
		all = append(all, p.environment.NewFollower(fmt.Sprint("steady ", i), "websocket", false, p.publicRooms()...))
	}
	for i := range 6 {
		all = append(all, p.environment.NewFollower(fmt.Sprint("restless ", i), "websocket", true, p.publicRooms()...))
	}
	for i, protocol := range []string{"sse", "ndjson"} {
		for j, room := range []string{p.safeRooms()[i], p.room("trimmed"), p.room("deleted")} {
			all = append(all, p.environment.NewFollower(fmt.Sprint(protocol, " ", j), protocol, j > 0, room))
		}
	}
	if p.team != nil {
		all = append(all, p.team.followers(p.environment)...)
	}
	return all
}

// room returns the full name of a room of this phase.
func (p *phase) room(name string) string { return fmt.Sprint(name, "-", p.number) }

// safeRooms returns the rooms from which no fault except a flush removes entries.
func (p *phase) safeRooms() []string {
	return []string{p.room("lobby"), p.room("dev"), p.room("a-room")}
}

// publicRooms returns the rooms that everyone may read.
func (p *phase) publicRooms() []string {
	return append(p.safeRooms(), p.room("trimmed"), p.room("deleted"))
}

// rooms returns all rooms of the phase.
func (p *phase) rooms() []string {
	if p.team == nil {
		return p.publicRooms()
	}
	return append(p.publicRooms(), p.team.rooms...)
}

// destroys reports whether a fault of this phase removes entries of the room.
func (p *phase) destroys(room string) bool {
	return p.flushes || room == p.room("trimmed") || room == p.room("deleted")
}

// inject injects faults as scheduled, one at a time for each target. It returns when the time has
// passed and all faults are repaired.
func (p *phase) inject(length time.Duration, faults []fault) {
	p.mu.Lock()
	p.isFaulty = len(faults) > 0
	p.mu.Unlock()
	ctx, repair := context.WithTimeout(p.testCtx, length)
	defer repair()
	began := time.Now()
	targets := map[component]int{
		serverProcess: len(p.slots), clientNetwork: len(p.slots), redisNetwork: len(p.backend.networks()), redisProcess: 1, clients: 1,
	}
	var running sync.WaitGroup
	for i, planned := range schedule(p.options.seed, length, faults, targets) {
		running.Go(func() {
			random := p.newRandom(fmt.Sprint("schedule ", i))
			for _, next := range planned {
				wait(ctx, time.Until(began.Add(next.at)))
				if ctx.Err() != nil {
					return
				}
				from := time.Now()
				next.fault.inject(&injection{p, next.target, next.lasts, random, ctx})
				p.countFault(next.fault.name)
				p.logFault(from, next.fault.name, next.target)
			}
		})
	}
	running.Wait()
	<-ctx.Done()
}

// countFault counts an occurrence of a fault.
func (p *phase) countFault(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults[name]++
}

// sendLastMessages sends a message to each room, so that servers also detect changes that the harness
// made directly in Redis, without an entry in the activity.
func (p *phase) sendLastMessages(ctx context.Context) {
	author, err := p.environment.NewAuthor(ctx, "last author", false)
	if err != nil {
		p.environment.Record.AddFinding(check.Incomplete, "sign in after all faults are repaired: %v", err)
		return
	}
	for _, room := range p.publicRooms() {
		author.SendTo(ctx, room)
	}
	if p.team != nil {
		writer := p.environment.NewMemberAuthor("last writer", p.team.writers[0], false)
		for _, room := range p.team.rooms {
			writer.SendTo(ctx, room)
		}
	}
}

// converge waits until every follower has read its rooms to the end.
func (p *phase) converge(ctx context.Context) {
	for ctx.Err() == nil {
		ends := p.lastIDs()
		if !slices.ContainsFunc(p.followers, func(f *bots.Follower) bool { return !p.hasArrived(f, ends) }) {
			return
		}
		wait(ctx, 20*time.Millisecond)
	}
}

// hasArrived reports whether the follower has read its rooms to the ends or, if it is no longer a member of a
// hidden room, knows that.
func (p *phase) hasArrived(f *bots.Follower, ends map[string]check.ID) bool {
	if account := f.Account(); account != "" && !p.team.isInside(account) {
		return f.IsShutOut()
	}
	return f.IsAt(ends)
}

// timeSpan is a span of time. Its end is far in the future until it is known.
type timeSpan struct{ from, to time.Time }

// beginFailover records that there may be two primaries, until the caller calls end.
func (p *phase) beginFailover() (end func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	span := &timeSpan{time.Now().Add(-time.Second), time.Now().Add(time.Hour)}
	p.failover = append(p.failover, span)
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		span.to = time.Now()
	}
}

// mayBeOrphan reports whether there may have been two primaries when the entry was stored.
func (p *phase) mayBeOrphan(at check.ID) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	when := time.UnixMilli(int64(at.Millis))
	return slices.ContainsFunc(p.failover, func(span *timeSpan) bool { return when.After(span.from) && when.Before(span.to) })
}

// mayLose reports whether the entry may be lost although it was acknowledged.
func (p *phase) mayLose(at check.ID) bool { return p.backend.mayLose() && p.mayBeOrphan(at) }
