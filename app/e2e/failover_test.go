//go:build unix

package e2e

import (
	"testing"
	"time"

	"burble/app/apptest"
	"burble/streams/redistest"
)

func TestClientsContinueAfterFailover(t *testing.T) {
	t.Parallel()
	t.Run("Sentinel", func(t *testing.T) {
		t.Parallel()
		s := redistest.StartSentinel(t)
		testFailover(t, s.URL(), func() *redistest.Node { return s.Primary() }, func(old *redistest.Node) {
			old.Kill()
			s.AwaitFailover(old)
		})
	})
	t.Run("Cluster", func(t *testing.T) {
		t.Parallel()
		c := redistest.StartCluster(t, 1)
		testFailover(t, c.URL(), func() *redistest.Node { return c.Primary(clusterKey(t, c, "talk")) }, func(old *redistest.Node) {
			old.Kill()
			c.AwaitFailover(old)
			old.Restart() // the new primary has no other replica
		})
	})
}

// testFailover makes another node take over while members send through two servers.
func testFailover(t *testing.T, url string, primary func() *redistest.Node, failOver func(old *redistest.Node)) {
	servers := []*apptest.Server{apptest.Launch(t, url, "DURABILITY=replica"), apptest.Launch(t, url, "DURABILITY=replica")}
	for _, server := range servers {
		server.AwaitReady()
	}
	conversation := startConversation(t, servers...)
	stop := conversation.startSending()
	apptest.Eventually(t, patience, "messages to be stored", func() bool { return conversation.count() > 300 })
	began := time.Now()
	failOver(primary())
	t.Logf("another node became the primary after %v", time.Since(began).Round(time.Millisecond))
	stored := conversation.count()
	apptest.Eventually(t, 40*time.Second, "messages to be stored again", func() bool { return conversation.count() > stored+300 })
	t.Logf("300 more messages were stored after %v", time.Since(began).Round(time.Millisecond))
	for _, server := range servers {
		server.AwaitReady()
	}
	stop()
	conversation.expectAllRead(primary().Server)
	for i, m := range conversation.members {
		if statuses, connections := m.redisStatuses(); connections != 1 || len(statuses)%2 != 0 {
			t.Errorf("member %d: got %d connections and the statuses %q, want 1 connection and an even number of statuses", i, connections, statuses)
		}
	}
}

// clusterKey returns the key of the room's stream.
func clusterKey(t *testing.T, c *redistest.Cluster, room string) string {
	t.Helper()
	for _, node := range c.Nodes {
		client := node.Client()
		defer client.Close()
		if keys := client.Keys(t.Context(), "*:room:"+room).Val(); len(keys) == 1 {
			return keys[0]
		}
	}
	t.Fatalf("no node stores room %q", room)
	return ""
}
