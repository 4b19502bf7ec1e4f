//go:build unix

package chaos

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"burble/app/client"
)

// follower is a client that reads rooms and keeps a cursor in each. Whatever ends its
// connection, it resumes at any server. A restless follower also behaves as clients do that
// sleep, wander between servers or have an odd cursor.
type follower struct {
	*phase
	name     string
	read     read
	rooms    []string
	random   *rand.Rand
	restless bool

	mu          sync.Mutex
	transcripts map[string]*transcript // by room
	cursors     map[string]cursor      // reached
	earlier     map[string]cursor      // reached some time ago
	behaviour   string                 // of the next connection; "" is the ordinary one
	goal        map[string]id          // the rooms' ends when it came back; nil: it has caught up
}

// behaviours of restless followers. The first three are between two connections, the others
// are what the follower asks for when it comes back.
var behaviours = []string{"stalls", "sleeps", "wanders", "rereads", "has a future cursor", "has another epoch", "wants the newest"}

func (p *phase) newFollower(name, protocol string, restless bool, rooms ...string) *follower {
	f := &follower{
		phase: p, name: name, read: protocols[protocol], rooms: rooms, restless: restless, random: p.newRandom(name),
		transcripts: make(map[string]*transcript), cursors: make(map[string]cursor), earlier: make(map[string]cursor),
	}
	for _, room := range rooms {
		f.transcripts[room] = p.record.newTranscript(name, room)
	}
	return f
}

// run reads until ctx ends.
func (f *follower) run(ctx context.Context) {
	for ctx.Err() == nil {
		began := time.Now()
		connection, end := context.WithCancel(ctx)
		if f.restless && !f.isRepaired() {
			f.mu.Lock()
			if f.random.IntN(3) > 0 {
				f.behaviour = behaviours[f.random.IntN(len(behaviours))]
			}
			f.mu.Unlock()
			time.AfterFunc(time.Duration(1000+f.random.IntN(5000))*time.Millisecond, end)
		}
		f.read(connection, f.anyServer(f.random, f.token), f.follows(), func(frame client.Frame) error { return f.handle(ctx, began, frame) })
		end()
		f.mu.Lock()
		pause := time.Duration(5+f.random.IntN(200)) * time.Millisecond
		if f.behaviour == "sleeps" && !f.isRepaired() {
			pause = time.Duration(f.random.IntN(6000)) * time.Millisecond
		}
		f.mu.Unlock()
		f.waitUnlessRepaired(ctx, pause)
	}
}

// follows returns what the follower asks for in each room this time.
func (f *follower) follows() (follows []client.Follow) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.goal = make(map[string]id)
	behaviour := f.behaviour
	if f.isRepaired() {
		behaviour = ""
	}
	f.behaviour = ""
	for _, room := range f.rooms {
		e := event{at: time.Now(), kind: requested, place: f.cursors[room]}
		follow := client.Follow{Room: room}
		switch behaviour {
		case "rereads":
			e.place = f.earlier[room]
		case "has a future cursor":
			e.place.id.millis += uint64(time.Hour / time.Millisecond)
		case "has another epoch":
			e.place.epoch = "Elsewhere"
		case "wants the newest":
			e.fresh, follow.Last = true, f.random.IntN(100)
		}
		if e.place.isNewRoom() || e.place.epoch == "0" {
			e.place = beginning
		}
		if !e.fresh {
			follow.After = e.place.String()
		}
		if behaviour != "" {
			f.goal = nil
		}
		f.transcripts[room].add(e)
		follows = append(follows, follow)
	}
	return follows
}

// handle adds a frame to the transcript of its room.
func (f *follower) handle(ctx context.Context, began time.Time, frame client.Frame) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if refused, ok := frame.(*client.Error); ok {
		f.record.find(wrongReply, "%s: got error %+v", f.name, *refused)
		return nil
	}
	room, e, err := newEvent(frame, &f.record.pool)
	if err != nil {
		f.record.find(invented, "%s: %v", f.name, err)
		return err
	}
	if room == "" {
		return nil
	}
	transcript := f.transcripts[room]
	if transcript == nil {
		f.record.find(leaked, "%s: got a frame of room %q, which it does not follow", f.name, room)
		return nil
	}
	e.at = time.Now()
	transcript.add(e)
	if response, ok := frame.(*client.Followed); ok {
		f.cursors[room] = e.place
		if f.goal != nil {
			last, _ := parseCursor(response.Last)
			f.goal[room] = last.id
		}
	} else {
		f.cursors[room] = e.upto
		if f.random.IntN(20) == 0 {
			f.earlier[room] = e.after
		}
	}
	f.noteCatchUp(began)
	if f.behaviour == "stalls" {
		f.behaviour = ""
		f.waitUnlessRepaired(ctx, time.Duration(f.random.IntN(4000))*time.Millisecond)
	}
	return nil
}

// noteCatchUp records how long the follower took to reach the ends that the rooms had when
// it came back.
func (f *follower) noteCatchUp(began time.Time) {
	if len(f.goal) < len(f.rooms) {
		return
	}
	for room, last := range f.goal {
		if f.cursors[room].id.before(last) {
			return
		}
	}
	f.goal = nil
	f.record.addResume(time.Since(began))
}

// isAt reports whether the follower has read up to the ends of its rooms.
func (f *follower) isAt(ends map[string]id) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, room := range f.rooms {
		if f.cursors[room].id != ends[room] {
			return false
		}
	}
	return true
}
