//go:build unix

package e2e

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"burble/app/apptest"
	"burble/app/client"
	"burble/streams/redistest"
)

// conversation is a room with members that send messages, and the messages that were acknowledged.
type conversation struct {
	t       *testing.T
	ctx     context.Context
	room    string
	members []*member
	sending sync.WaitGroup

	mu     sync.Mutex
	stored map[string]string // entry ID by text
}

// memberCount is the number of members in a conversation.
const memberCount = 16

// startConversation adds members to a room. Each member connects to any of the servers. The
// conversation ends after two minutes.
func startConversation(t *testing.T, servers ...*apptest.Server) *conversation {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	c := &conversation{t: t, ctx: ctx, room: "talk", stored: make(map[string]string)}
	for i := range memberCount {
		token := servers[i%len(servers)].SignIn(fmt.Sprint("member ", i))
		c.members = append(c.members, join(ctx, t, c.room, token, servers...))
	}
	return c
}

// sendMessages sends count messages as the member. It waits until each is stored.
func (c *conversation) sendMessages(m *member, count int) {
	for range count {
		text := "hello " + client.NewKey()
		id, err := m.send(c.ctx, text)
		if err != nil {
			c.t.Errorf("send: %v", err)
			return
		}
		c.mu.Lock()
		c.stored[text] = id
		c.mu.Unlock()
	}
}

// startSending makes all members send messages until stop is called. stop waits for the last answers.
func (c *conversation) startSending() (stop func()) {
	enough := make(chan struct{})
	for _, m := range c.members {
		c.sending.Go(func() {
			for c.ctx.Err() == nil {
				select {
				case <-enough:
					return
				default:
					c.sendMessages(m, 1)
				}
			}
		})
	}
	return func() { close(enough); c.sending.Wait() }
}

// count returns the number of acknowledged messages.
func (c *conversation) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.stored)
}

// expectAllRead checks that Redis has exactly the acknowledged messages, each once, and that every
// member has read exactly these messages in this order.
func (c *conversation) expectAllRead(server *redistest.Server) {
	c.t.Helper()
	entries := apptest.Entries(c.t, server, c.room)
	if len(entries) != c.count() {
		c.t.Errorf("%d messages are stored, want the %d that were acknowledged", len(entries), c.count())
	}
	for _, entry := range entries {
		text := entry.Values["text"].(string)
		if acknowledged := c.stored[text]; acknowledged != entry.ID {
			c.t.Errorf("%q is stored as %s, but was acknowledged as %q", text, entry.ID, acknowledged)
		}
	}
	for i, m := range c.members {
		m.await(patience, len(entries))
		m.mu.Lock()
		for j, entry := range m.entries[:min(len(m.entries), len(entries))] {
			if entry.ID != entries[j].ID || entry.Text != entries[j].Values["text"] || entry.Number != int64(j+1) {
				c.t.Errorf("member %d: entry %d is %+v, want %v", i, j+1, entry, entries[j])
				break
			}
		}
		m.mu.Unlock()
	}
}
