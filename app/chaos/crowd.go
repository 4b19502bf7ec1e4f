//go:build unix

package chaos

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"
)

// crowdBack is how many entries the crowd has missed.
const crowdBack = 200

var errCaughtUp = errors.New("caught up")

// crowd has very many clients come back at once, from the same place, and waits until
// each has caught up.
func (w *world) crowd(ctx context.Context, random *rand.Rand) {
	room := w.calmRooms()[0]
	from := w.placeBefore(room)
	var waiting sync.WaitGroup
	for i := range w.options.crowd {
		edge := w.edge(random)
		waiting.Go(func() { w.comeBack(ctx, fmt.Sprintf("crowd %d", i), edge, room, from) })
	}
	waiting.Wait()
}

// placeBefore is a place some way back, that a client was told.
func (w *world) placeBefore(room string) cursor {
	f := w.followers[0]
	f.mu.Lock()
	defer f.mu.Unlock()
	events, entries := f.script[room].events, 0
	for i := len(events) - 1; i >= 0; i-- {
		if entries += len(events[i].entries); entries >= crowdBack && events[i].what == read {
			return events[i].after
		}
	}
	return beginning
}

// comeBack reads on from a place until the room's end as it was told then.
func (w *world) comeBack(ctx context.Context, name, edge, room string, from cursor) {
	script := w.record.transcript(name, room)
	script.leaves = true
	began := time.Now()
	at, goal := from, id{}
	hear := func(got *frame) error {
		if got.Type != "followed" && got.Type != "entries" {
			return nil
		}
		e, err := got.event(&w.record.pool)
		if err != nil {
			w.record.odd(invented, "%s: %v", name, err)
			return err
		}
		e.at = time.Now()
		script.add(e)
		if at = e.upto; e.what == told {
			last, _ := parseCursor(got.Last)
			at, goal = e.place, last.id
		}
		if !at.id.before(goal) {
			return errCaughtUp
		}
		return nil
	}
	for attempt := 0; ctx.Err() == nil; attempt++ {
		script.add(event{at: time.Now(), what: asked, place: at})
		err := onSocket(ctx, edge, w.token, []wish{{room: room, after: at}}, hear)
		if errors.Is(err, errCaughtUp) {
			w.record.resumed(time.Since(began))
			return
		}
		w.wait(ctx, time.Duration(50+rand.IntN(200))*time.Millisecond)
		edge = w.slots[attempt%len(w.slots)].edge.Addr
	}
}
