//go:build unix

package chaos

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"burble/app/chaos/check"
	"burble/app/client"
)

// stormBack is how many entries the clients of a reconnect storm have missed.
const stormBack = 200

var errCaughtUp = errors.New("caught up")

// reconnectStorm has very many clients resume at once from the same cursor, and waits until
// each has caught up.
func (p *phase) reconnectStorm(ctx context.Context, random *rand.Rand) {
	room := p.safeRooms()[0]
	from := p.cursorBack(room)
	var waiting sync.WaitGroup
	for i := range p.options.crowd {
		server := p.anyServer(random, p.token)
		waiting.Go(func() { p.catchUp(ctx, fmt.Sprintf("storm %d", i), server, room, from) })
	}
	waiting.Wait()
}

// cursorBack returns a cursor that a follower had stormBack entries ago.
func (p *phase) cursorBack(room string) check.Cursor {
	f := p.followers[0]
	f.mu.Lock()
	defer f.mu.Unlock()
	events, entries := f.transcripts[room].Events, 0
	for i := len(events) - 1; i >= 0; i-- {
		if entries += len(events[i].Entries); entries >= stormBack && events[i].Kind == check.Batch {
			return events[i].After
		}
	}
	return check.Beginning
}

// catchUp reads a room from a cursor up to the end that the room had then.
func (p *phase) catchUp(ctx context.Context, name string, server *client.Server, room string, from check.Cursor) {
	transcript := p.record.newTranscript(name, room)
	transcript.Leaves = true
	began := time.Now()
	at, goal := from, check.ID{}
	handle := func(frame client.Frame) error {
		about, e, err := check.NewEvent(frame, &p.record.pool)
		if err != nil {
			p.record.find(check.Invented, "%s: %v", name, err)
			return err
		}
		if about == "" {
			return nil
		}
		e.At = time.Now()
		transcript.Add(e)
		at = e.Upto
		if response, ok := frame.(*client.Followed); ok {
			last, _ := check.ParseCursor(response.Last)
			at, goal = e.Place, last.ID
		}
		if !at.ID.Before(goal) {
			return errCaughtUp
		}
		return nil
	}
	for attempt := 0; ctx.Err() == nil; attempt++ {
		transcript.Add(check.Event{At: time.Now(), Kind: check.Requested, Place: at})
		err := readWebSocket(ctx, server, []client.Follow{{Room: room, After: at.String()}}, handle)
		if errors.Is(err, errCaughtUp) {
			p.record.addResume(time.Since(began))
			return
		}
		wait(ctx, time.Duration(50+rand.IntN(200))*time.Millisecond)
		server = serverAt(p.slots[attempt%len(p.slots)].front.Addr, p.token)
	}
}
