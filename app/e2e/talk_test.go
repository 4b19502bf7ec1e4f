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

// talk is a room full of members, and the messages that were acknowledged to them.
type talk struct {
	t        *testing.T
	ctx      context.Context
	room     string
	members  []*member
	speaking sync.WaitGroup

	mu     sync.Mutex
	stored map[string]string // entry ID by text
}

// talkers is how many members a talk has.
const talkers = 16

// newTalk adds members to a room, all of which use all servers. It ends after two minutes.
func newTalk(t *testing.T, servers ...*apptest.Server) *talk {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	talk := &talk{t: t, ctx: ctx, room: "talk", stored: make(map[string]string)}
	for i := range talkers {
		token := servers[i%len(servers)].SignIn(fmt.Sprint("talker ", i))
		talk.members = append(talk.members, join(ctx, t, talk.room, token, servers...))
	}
	return talk
}

// speak sends count messages of the member, each after the last one is stored.
func (talk *talk) speak(m *member, count int) {
	for range count {
		text := "hello " + client.NewKey()
		id, err := m.send(talk.ctx, text)
		if err != nil {
			talk.t.Errorf("send: %v", err)
			return
		}
		talk.mu.Lock()
		talk.stored[text] = id
		talk.mu.Unlock()
	}
}

// speakUntil has all members speak until the returned function is called, which waits for
// the last answers.
func (talk *talk) speakUntil() (stop func()) {
	enough := make(chan struct{})
	for _, m := range talk.members {
		talk.speaking.Go(func() {
			for talk.ctx.Err() == nil {
				select {
				case <-enough:
					return
				default:
					talk.speak(m, 1)
				}
			}
		})
	}
	return func() { close(enough); talk.speaking.Wait() }
}

// count returns how many messages were acknowledged.
func (talk *talk) count() int {
	talk.mu.Lock()
	defer talk.mu.Unlock()
	return len(talk.stored)
}

// compare checks that Redis has exactly the acknowledged messages, each once, and that
// every member has read exactly these in that order.
func (talk *talk) compare(server *redistest.Server) {
	talk.t.Helper()
	entries := apptest.Entries(talk.t, server, talk.room)
	if len(entries) != talk.count() {
		talk.t.Errorf("%d messages were acknowledged, %d are stored", talk.count(), len(entries))
	}
	for _, entry := range entries {
		text := entry.Values["text"].(string)
		if acknowledged := talk.stored[text]; acknowledged != entry.ID {
			talk.t.Errorf("%q is stored as %s and was acknowledged as %q", text, entry.ID, acknowledged)
		}
	}
	for i, m := range talk.members {
		m.await(patience, len(entries))
		m.mu.Lock()
		for j, entry := range m.entries[:min(len(m.entries), len(entries))] {
			if entry.ID != entries[j].ID || entry.Text != entries[j].Values["text"] || entry.N != int64(j+1) {
				talk.t.Errorf("talker %d: entry %d is %+v, want %v", i, j+1, entry, entries[j])
				break
			}
		}
		m.mu.Unlock()
	}
}
