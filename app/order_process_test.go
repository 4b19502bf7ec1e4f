//go:build unix

package main_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"time"

	"burble/streams/redistest"
)

const (
	talkers  = 16
	messages = 128 // of each talker
)

func TestEveryoneHasEveryMessageOnceInOneOrder(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	one, other := burble(t, server), burble(t, server)
	talk := newTalk(t, one, other)
	for _, c := range talk.chatters {
		talk.spoken.Go(func() { talk.speak(c, messages) })
	}
	talk.spoken.Wait()
	talk.compare(server)
}

func TestNothingIsLostWhenSocketsAreCutAndServersKilled(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	servers := []*process{burble(t, server), burble(t, server)}
	talk := newTalk(t, servers...)
	const rounds = 8
	for round := range rounds {
		for _, c := range talk.chatters {
			talk.spoken.Go(func() { talk.speak(c, messages/rounds) })
		}
		// In the middle of it.
		eventually(t, 30*time.Second, "some to be stored", func() bool {
			return talk.count() > (round*talkers*messages+rand.N(talkers*messages))/rounds
		})
		for range 5 {
			talk.chatters[rand.N(talkers)].cut()
		}
		servers[round%2].restart()
		talk.spoken.Wait()
	}
	talk.compare(server)
	sockets := 0
	for _, c := range talk.chatters {
		_, opened := c.heard()
		sockets += opened
	}
	t.Logf("%d sockets for %d clients", sockets, talkers)
	if sockets < talkers+rounds {
		t.Errorf("only %d sockets were opened: nothing was cut", sockets)
	}
}

// talk is a room full of chatters, and what they were told is stored.
type talk struct {
	t        *testing.T
	ctx      context.Context
	room     string
	chatters []*chatter
	spoken   sync.WaitGroup

	mu     sync.Mutex
	stored map[string]string // text to ID
}

func newTalk(t *testing.T, servers ...*process) *talk {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	talk := &talk{t: t, ctx: ctx, room: "talk", stored: make(map[string]string)}
	for i := range talkers {
		token := servers[i%len(servers)].token(fmt.Sprint("talker ", i))
		talk.chatters = append(talk.chatters, chat(ctx, t, talk.room, token, servers...))
	}
	return talk
}

// speak sends messages one after the other.
func (talk *talk) speak(c *chatter, count int) {
	for range count {
		text := "hello " + strconv.FormatUint(rand.Uint64(), 36)
		id, err := c.send(talk.ctx, text)
		if err != nil {
			talk.t.Errorf("send: %v", err)
			return
		}
		talk.mu.Lock()
		talk.stored[text] = id
		talk.mu.Unlock()
	}
}

// count is how many messages were acknowledged.
func (talk *talk) count() int {
	talk.mu.Lock()
	defer talk.mu.Unlock()
	return len(talk.stored)
}

// compare checks that Redis has what was acknowledged and nothing else, once, and
// that every chatter has just that.
func (talk *talk) compare(server *redistest.Server) {
	talk.t.Helper()
	entries := entriesOf(talk.t, server, talk.room)
	if len(entries) != talk.count() {
		talk.t.Errorf("%d messages were acknowledged, %d are stored", talk.count(), len(entries))
	}
	for _, entry := range entries {
		text := entry.Values["text"].(string)
		if acknowledged := talk.stored[text]; acknowledged != entry.ID {
			talk.t.Errorf("%q is stored as %s and was acknowledged as %q", text, entry.ID, acknowledged)
		}
	}
	for i, c := range talk.chatters {
		eventually(talk.t, 20*time.Second, fmt.Sprintf("talker %d to have everything", i), func() bool {
			return c.has() >= len(entries)
		})
		c.mu.Lock()
		if len(c.entries) != len(entries) {
			talk.t.Errorf("talker %d has %d of %d entries", i, len(c.entries), len(entries))
		}
		for j, entry := range c.entries[:min(len(c.entries), len(entries))] {
			if entry.ID != entries[j].ID || entry.Text != entries[j].Values["text"] || entry.N != j+1 {
				talk.t.Errorf("talker %d has as number %d %+v, not %v", i, j+1, entry, entries[j])
				break
			}
		}
		c.mu.Unlock()
	}
}
