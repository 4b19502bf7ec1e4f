//go:build unix

package chaos

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

// follower is a client that follows rooms, keeps its place in each, and comes back
// to any server after anything. A restless one also does what clients do.
type follower struct {
	*world
	name     string
	listen   listen
	rooms    []string
	random   *rand.Rand
	restless bool

	mu     sync.Mutex
	script map[string]*transcript
	places map[string]cursor
	old    map[string]cursor // a place of a while ago
	whim   string            // how it comes back next; "" as it should
	goal   map[string]id     // the rooms' ends when it came back; nil: it has caught up
}

// whims are what restless followers do. The first three are between two
// connections, the others are what it asks for when it comes back.
var whims = []string{"stalls", "sleeps", "wanders", "wants the past again", "comes from the future", "comes from elsewhere", "wants the newest"}

func (w *world) newFollower(name, way string, restless bool, rooms ...string) *follower {
	f := &follower{
		world: w, name: name, listen: ways[way], rooms: rooms, restless: restless, random: w.stream(name),
		script: make(map[string]*transcript), places: make(map[string]cursor), old: make(map[string]cursor),
	}
	for _, room := range rooms {
		f.script[room] = w.record.transcript(name, room)
	}
	return f
}

// run follows until ctx ends.
func (f *follower) run(ctx context.Context) {
	for ctx.Err() == nil {
		began := time.Now()
		life, end := context.WithCancel(ctx)
		if f.restless && !f.isCalm() {
			f.mu.Lock()
			if f.random.IntN(3) > 0 {
				f.whim = whims[f.random.IntN(len(whims))]
			}
			f.mu.Unlock()
			time.AfterFunc(time.Duration(1000+f.random.IntN(5000))*time.Millisecond, end)
		}
		f.listen(life, f.edge(f.random), f.token, f.wishes(), func(got *frame) error { return f.hear(ctx, began, got) })
		end()
		f.mu.Lock()
		sleep := time.Duration(5+f.random.IntN(200)) * time.Millisecond
		if f.whim == "sleeps" && !f.isCalm() {
			sleep = time.Duration(f.random.IntN(6000)) * time.Millisecond
		}
		f.mu.Unlock()
		f.rest(ctx, sleep)
	}
}

// wishes are where it begins in each room this time.
func (f *follower) wishes() (wishes []wish) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.goal = make(map[string]id)
	whim := f.whim
	if f.isCalm() {
		whim = ""
	}
	f.whim = ""
	for _, room := range f.rooms {
		w := wish{room: room, after: f.places[room]}
		switch whim {
		case "wants the past again":
			w.after = f.old[room]
		case "comes from the future":
			w.after.id.millis += uint64(time.Hour / time.Millisecond)
		case "comes from elsewhere":
			w.after.epoch = "Elsewhere"
		case "wants the newest":
			w.fresh, w.last = true, f.random.IntN(100)
		}
		if w.after.unborn() || w.after.epoch == "0" {
			w.after = beginning
		}
		if whim != "" {
			f.goal = nil
		}
		f.script[room].add(event{at: time.Now(), what: asked, place: w.after, fresh: w.fresh})
		wishes = append(wishes, w)
	}
	return wishes
}

func (f *follower) hear(ctx context.Context, began time.Time, got *frame) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch got.Type {
	case "followed", "entries":
	case "error":
		f.record.odd(wrongReply, "%s: told an error: %+v", f.name, *got)
		return nil
	default:
		return nil
	}
	script := f.script[got.Room]
	if script == nil {
		f.record.odd(leaked, "%s: told of room %q, which it does not follow", f.name, got.Room)
		return nil
	}
	e, err := got.event(&f.record.pool)
	if err != nil {
		f.record.odd(invented, "%s: %v", f.name, err)
		return err
	}
	e.at = time.Now()
	script.add(e)
	if e.what == told {
		f.places[got.Room] = e.place
		if f.goal != nil {
			last, _ := parseCursor(got.Last)
			f.goal[got.Room] = last.id
		}
	} else {
		f.places[got.Room] = e.upto
		if f.random.IntN(20) == 0 {
			f.old[got.Room] = e.after
		}
	}
	f.caughtUp(began)
	if f.whim == "stalls" {
		f.whim = ""
		f.rest(ctx, time.Duration(f.random.IntN(4000))*time.Millisecond)
	}
	return nil
}

// caughtUp notes how long it took to be where the rooms were when it came back.
func (f *follower) caughtUp(began time.Time) {
	if len(f.goal) < len(f.rooms) {
		return
	}
	for room, last := range f.goal {
		if f.places[room].id.before(last) {
			return
		}
	}
	f.goal = nil
	f.record.resumed(time.Since(began))
}
