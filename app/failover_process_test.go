//go:build unix

package main_test

import (
	"sync/atomic"
	"testing"
	"time"

	"burble/streams/redistest"
)

func TestEveryoneGoesOnWithTheNextPrimary(t *testing.T) {
	t.Parallel()
	t.Run("Sentinel", func(t *testing.T) {
		t.Parallel()
		s := redistest.StartSentinel(t)
		failOver(t, s.URL(), func() *redistest.Node { return s.Primary() }, func(old *redistest.Node) {
			old.Kill()
			s.AwaitFailover(old)
		})
	})
	t.Run("Cluster", func(t *testing.T) {
		t.Parallel()
		c := redistest.StartCluster(t, 1)
		failOver(t, c.URL(), func() *redistest.Node { return c.Primary(keyOf(t, c, "talk")) }, func(old *redistest.Node) {
			old.Kill()
			c.AwaitFailover(old)
			old.Restart() // the next one has no other replica
		})
	})
}

// failOver has another node take over under load on two servers.
func failOver(t *testing.T, url string, primary func() *redistest.Node, next func(old *redistest.Node)) {
	servers := []*process{launch(t, url, "DURABILITY=replica"), launch(t, url, "DURABILITY=replica")}
	for _, p := range servers {
		p.awaitReady()
	}
	talk := newTalk(t, servers...)
	var enough atomic.Bool
	for _, c := range talk.chatters {
		talk.spoken.Go(func() {
			for !enough.Load() && talk.ctx.Err() == nil {
				talk.speak(c, 1)
			}
		})
	}
	eventually(t, 20*time.Second, "the load", func() bool { return talk.count() > 300 })
	began := time.Now()
	next(primary())
	t.Logf("another is the primary after %v", time.Since(began).Round(time.Millisecond))
	stored := talk.count()
	eventually(t, 40*time.Second, "sends to go on", func() bool { return talk.count() > stored+300 })
	t.Logf("messages are stored after %v", time.Since(began).Round(time.Millisecond))
	for _, p := range servers {
		p.awaitReady()
	}
	enough.Store(true)
	talk.spoken.Wait()
	talk.compare(primary().Server)
	for i, c := range talk.chatters {
		if statuses, sockets := c.heard(); sockets != 1 || len(statuses)%2 != 0 {
			t.Errorf("talker %d needed %d sockets and was told %q", i, sockets, statuses)
		}
	}
}

// keyOf is the key of the room's stream.
func keyOf(t *testing.T, c *redistest.Cluster, room string) string {
	t.Helper()
	for _, node := range c.Nodes {
		client := node.Client()
		defer client.Close()
		if keys := client.Keys(t.Context(), "*:room:"+room).Val(); len(keys) == 1 {
			return keys[0]
		}
	}
	t.Fatalf("nobody has room %q", room)
	return ""
}
