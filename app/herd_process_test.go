//go:build unix

package main_test

import (
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"burble/streams/redistest"
)

func TestTwoThousandWhoComeBackAtOnceHaveEverythingAndAreFewReads(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	falls, stays := burble(t, server), burble(t, server)
	token := stays.token("Ada")
	writer := chat(t.Context(), t, "lobby", token, stays)
	herd := make([]*returner, crowd)
	var coming sync.WaitGroup
	for i := range herd {
		herd[i] = &returner{t: t, token: token, cursor: "0-0"}
		coming.Go(func() { herd[i].come(falls) })
	}
	coming.Wait()
	say := func(count int) {
		for i := range count {
			if _, err := writer.send(t.Context(), fmt.Sprintf("message %d", i)); err != nil {
				t.Fatal(err)
			}
		}
	}
	say(50)
	for _, r := range herd {
		coming.Go(func() { r.read(50) })
	}
	coming.Wait()
	falls.kill()
	say(200)
	falls.start() // it has read nothing yet
	falls.awaitReady()

	commands := commandsOf(t, server)
	began := time.Now()
	for _, r := range herd {
		coming.Go(func() { r.come(falls); r.read(250) })
	}
	coming.Wait()
	spent := commandsOf(t, server).since(commands)
	took := time.Since(began)
	t.Logf("%d clients came back and had what they missed in %v; commands of Redis: %v", crowd, took, spent)
	// What was read serves others for a second, and who is here is asked twice in one.
	if spent.total() > crowd/10+20*int(took/time.Second) {
		t.Errorf("%d commands of Redis for %d clients: %v", spent.total(), crowd, spent)
	}
	wantFewConnections(t, server, 2)
}

// returner is a client that comes when it is told.
type returner struct {
	*socket
	t      *testing.T
	token  string
	cursor string
	has    int
}

// come opens a socket and follows from the cursor.
func (r *returner) come(p *process) {
	var err error
	// A listener's queue is shorter than the herd, and the rest is tried again.
	for range 20 {
		if r.socket, err = dial(p.url(), r.token, nil); err == nil {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if err != nil {
		r.t.Errorf("dial: %v", err)
		return
	}
	r.t.Cleanup(r.cut)
	if err := r.say(map[string]any{"type": "follow", "room": "lobby", "after": r.cursor}); err != nil {
		r.t.Errorf("follow: %v", err)
	}
}

// heardFrames are the frames that came to a herd, most of them to all of it.
var heardFrames sync.Map // text to wireFrame

// hearShared is hear, and reads the same text once for all.
func (r *returner) hearShared() (frame wireFrame, err error) {
	r.conn.SetReadDeadline(time.Now().Add(silence))
	_, text, err := r.conn.ReadMessage()
	if err != nil {
		return frame, err
	}
	if known, ok := heardFrames.Load(string(text)); ok {
		return known.(wireFrame), nil
	}
	if err := json.Unmarshal(text, &frame); err != nil {
		return frame, err
	}
	heardFrames.Store(string(text), frame)
	return frame, nil
}

// read reads until it has so many entries.
func (r *returner) read(count int) {
	for r.socket != nil && r.has < count {
		frame, err := r.hearShared()
		switch {
		case err != nil:
			r.t.Errorf("with %d of %d entries: %v", r.has, count, err)
			return
		case frame.Type == "followed":
			if frame.State != "resumed" || idOf(frame.At) != idOf(r.cursor) {
				r.t.Errorf("at %s came followed %q at %s", r.cursor, frame.State, frame.At)
			}
			r.cursor = frame.At
		case frame.Type == "entries":
			if frame.After != r.cursor {
				r.t.Errorf("the chain is broken: at %s came (%s, %s]", r.cursor, frame.After, frame.Upto)
			}
			r.cursor = frame.Upto
			for _, entry := range frame.Entries {
				if r.has++; entry.N != r.has {
					r.t.Errorf("entry %d came as number %d", entry.N, r.has)
				}
			}
		}
	}
}
