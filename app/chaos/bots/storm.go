package bots

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

// stormEntries is how many entries the clients in a reconnect storm have missed.
const stormEntries = 200

var errCaughtUp = errors.New("caught up")

// ReconnectStorm makes crowd clients resume a room at once, from an earlier cursor of the
// follower, and waits until all have caught up.
func (s *Environment) ReconnectStorm(ctx context.Context, random *rand.Rand, crowd int, f *Follower, room string) {
	from := f.cursorBefore(room, stormEntries)
	var waiting sync.WaitGroup
	for i := range crowd {
		server := s.anyServer(random, s.Token)
		waiting.Go(func() { s.catchUp(ctx, fmt.Sprintf("storm %d", i), server, room, from) })
	}
	waiting.Wait()
}

// catchUp reads a room from the cursor to the end that the room has when the client connects.
func (s *Environment) catchUp(ctx context.Context, name string, server *client.Server, room string, from check.Cursor) {
	transcript := s.Record.newTranscript(name, room)
	transcript.Partial = true
	began := time.Now()
	at, target := from, check.ID{}
	handle := func(frame client.Frame) error {
		frameRoom, e, err := check.NewEvent(frame, &s.Record.Pool)
		if err != nil {
			s.Record.AddFinding(check.Invented, "%s: %v", name, err)
			return err
		}
		if frameRoom == "" {
			return nil
		}
		e.At = time.Now()
		transcript.Add(e)
		at = e.Upto
		if response, ok := frame.(*client.Followed); ok {
			last, _ := check.ParseCursor(response.Last)
			at, target = e.Cursor, last.ID
		}
		if !at.ID.Before(target) {
			return errCaughtUp
		}
		return nil
	}
	for attempt := 0; ctx.Err() == nil; attempt++ {
		transcript.Add(check.Event{At: time.Now(), Kind: check.Requested, Cursor: at})
		err := readWebSocket(ctx, server, []client.Follow{{Room: room, After: at.String()}}, handle)
		if errors.Is(err, errCaughtUp) {
			s.Record.addResume(time.Since(began))
			return
		}
		pause(ctx, time.Duration(50+rand.IntN(200))*time.Millisecond)
		server = ServerAt(s.Servers[attempt%len(s.Servers)], s.Token)
	}
}
