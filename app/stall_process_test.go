//go:build unix

package main_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"burble/streams/redistest"

	"github.com/fasthttp/websocket"
	"github.com/google/uuid"
)

// A reader that stops in the middle of 30 MB is sent away within two deadlines of
// 10 s, costs the server no memory and the others no time, and has everything later.
func TestStalledReaderHarmsNobodyAndLosesNothing(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	p := burble(t, server)
	token := p.token("Ada")
	flowing := chat(t.Context(), t, "lobby", token, p)
	calm := delays(t, flowing, 200)

	var stalled []*stalledReader
	for range 8 {
		stalled = append(stalled, stall(t, p, token, "lobby"))
	}
	before := p.memory()
	began := time.Now()
	text := strings.Repeat("🗣", 4000) // 16 KB
	some, most := 128, 1900
	if os.Getenv("BURBLE_TEST_RACED") != "" {
		most = 500
	}
	publish := func(count int) {
		writer := flowing.connected(t.Context())
		for range count {
			if err := writer.say(map[string]any{"type": "send", "room": "lobby", "key": uuid.NewString(), "text": text}); err != nil {
				t.Errorf("%v, after close codes %v", err, flowing.closes)
				return
			}
		}
	}
	publish(some) // is more than any buffer on the way
	eventually(t, 20*time.Second, "the reader who reads to have it", func() bool { return flowing.has() >= 200+some })
	meanwhile := delays(t, flowing, 100)
	t.Logf("99 of 100 messages came within %v while all was calm, %v while others stalled", calm, meanwhile)
	// Who waited for one that stalls would wait for 10 s. A machine that does other things
	// at the time adds to it what it will.
	if meanwhile > 10*calm+5*time.Second {
		t.Errorf("others had to wait: %v instead of %v", meanwhile, calm)
	}

	var working sync.WaitGroup
	working.Go(func() { publish(most - some) })
	// Not to wait for anything: they stall past their deadline of 10 s, and one of
	// them past the second, after which the server does not wait for it either.
	time.Sleep(time.Until(began.Add(15 * time.Second)))
	for _, s := range stalled[1:] {
		working.Go(func() {
			if code := s.readOn(); code != 4008 {
				t.Errorf("a stalled reader was closed with %d, want 4008", code)
			}
		})
	}
	time.Sleep(time.Until(began.Add(27 * time.Second)))
	stalled[0].readOn()
	working.Wait()
	eventually(t, time.Minute, "the reader who reads to have all", func() bool { return flowing.has() >= 300+most })
	// The window of the room is bounded, and so is what eight of them may cost.
	grown := p.memory() - before
	t.Logf("%d stalled readers of %d MB cost %d MB", len(stalled), most*len(text)>>20, grown>>20)
	if grown > 200<<20 {
		t.Errorf("the process grew by %d MB", grown>>20)
	}

	want := entriesOf(t, server, "lobby")
	client := server.Client()
	defer client.Close()
	sent := statOf(t, client, "total_net_output_bytes")
	for _, s := range stalled[:3] {
		began, had := time.Now(), len(s.entries)
		s.comeBack(t, len(want))
		t.Logf("a stalled reader had %d entries and got the other %d in %v", had, len(want)-had, time.Since(began))
		for i, entry := range s.entries[:min(len(s.entries), len(want))] {
			if entry.ID != want[i].ID {
				t.Fatalf("entry %d is %s, want %s", i, entry.ID, want[i].ID)
			}
		}
	}
	sent = statOf(t, client, "total_net_output_bytes") - sent
	t.Logf("for that Redis sent %d MB", sent>>20)
	if sent > 3*2*most*len(text) {
		t.Errorf("Redis sent %d MB for three times %d MB", sent>>20, most*len(text)>>20)
	}
}

// delays sends messages one after the other, and returns what 99 of 100 took at most
// from sending to having been read.
func delays(t *testing.T, c *chatter, count int) time.Duration {
	t.Helper()
	var took []time.Duration
	for i := range count {
		had, began := c.has(), time.Now()
		if _, err := c.send(t.Context(), fmt.Sprintf("is this quick, %d?", i)); err != nil {
			t.Fatal(err)
		}
		eventually(t, 10*time.Second, "a message to come back", func() bool { return c.has() > had })
		took = append(took, time.Since(began))
	}
	return percentile(took, 99)
}

// percentile is what so many of a hundred took at most.
func percentile(took []time.Duration, of int) time.Duration {
	slices.Sort(took)
	return took[min(len(took)*of/100, len(took)-1)]
}

// stalledReader follows a room and then stops reading, for a while.
type stalledReader struct {
	*socket
	t           *testing.T
	p           *process
	token, room string
	cursor      string
	entries     []wireEntry
}

func stall(t *testing.T, p *process, token, room string) *stalledReader {
	t.Helper()
	s := &stalledReader{t: t, p: p, token: token, room: room, cursor: "0-0"}
	s.open()
	return s
}

// open follows from where it stands, and reads no further than where that is.
func (s *stalledReader) open() {
	s.t.Helper()
	var err error
	s.socket, err = dial(s.p.url(), s.token, func(network, addr string) (net.Conn, error) {
		conn, err := net.Dial(network, addr)
		if err == nil {
			// Less than two packets of the loopback, and the system may not tell the server that
			// there is room again before it asks: 12.6 s, then 25.4 s after it was full.
			conn.(*net.TCPConn).SetReadBuffer(128 << 10)
		}
		return conn, err
	})
	if err == nil {
		s.t.Cleanup(s.cut)
		err = s.say(map[string]any{"type": "follow", "room": s.room, "after": s.cursor})
	}
	var frame wireFrame
	if err == nil {
		frame, err = s.hear()
	}
	if err != nil || frame.Type != "followed" || frame.State != "resumed" {
		s.t.Fatalf("want to be followed, got %+v: %v", frame, err)
	}
	s.cursor = frame.At
}

// readOn reads until the connection ends, and returns the close code, 0 if there was none.
func (s *stalledReader) readOn() (code int) {
	for {
		frame, err := s.hear()
		if closed := (*websocket.CloseError)(nil); errors.As(err, &closed) && closed.Code != websocket.CloseAbnormalClosure {
			return closed.Code
		}
		if err != nil {
			return 0
		}
		s.take(frame)
	}
}

// comeBack reads everything from the cursor on.
func (s *stalledReader) comeBack(t *testing.T, count int) {
	t.Helper()
	s.open()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	defer context.AfterFunc(ctx, s.cut)()
	for len(s.entries) < count {
		frame, err := s.hear()
		if err != nil {
			t.Fatalf("after coming back, with %d of %d entries: %v", len(s.entries), count, err)
		}
		s.take(frame)
	}
}

func (s *stalledReader) take(frame wireFrame) {
	if frame.Type != "entries" {
		return
	}
	if frame.After != s.cursor {
		s.t.Errorf("the chain is broken: at %s came (%s, %s]", s.cursor, frame.After, frame.Upto)
	}
	s.cursor = frame.Upto
	s.entries = append(s.entries, frame.Entries...)
}
