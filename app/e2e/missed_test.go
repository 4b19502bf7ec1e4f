//go:build unix

package e2e

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"burble/app/apptest"
	"burble/streams/redistest"
)

// Messages that are stored while a server has lost its connection to Redis reach its clients once it
// has reconnected. The clients keep their connections.
func TestShortLossOfRedisIsInvisibleToClients(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	redis := redistest.Start(t)
	network := redistest.StartProxy(t, redis.Addr)
	interrupted := apptest.Launch(t, "redis://"+network.Addr)
	interrupted.AwaitReady()
	connected := apptest.Start(t, redis)
	token := connected.SignIn("Ada")
	reader, writer := join(t.Context(), t, "lobby", token, interrupted), join(t.Context(), t, "lobby", token, connected)
	count := 0
	send := func() {
		t.Helper()
		if _, err := writer.send(t.Context(), fmt.Sprintf("message %d", count)); err != nil {
			t.Fatal(err)
		}
		count++
	}
	send()
	var slowest time.Duration
	for range 20 {
		reader.await(patience, count)
		network.Reroute("") // ends all connections and refuses new ones
		send()
		network.Reroute(redis.Addr)
		began := time.Now()
		reader.await(patience, count)
		slowest = max(slowest, time.Since(began))
	}
	t.Logf("messages stored during each of 20 interruptions arrived within %v of its end", slowest)
	if statuses, connections := reader.redisStatuses(); connections != 1 {
		t.Errorf("the reader made %d connections, want 1, and received the statuses %q", connections, statuses)
	}
}

// The test kills one of three servers, with a third of 2,000 clients, while a writer keeps sending.
func TestClientsOfAKilledServerMoveToOthers(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	redis := redistest.Start(t)
	servers := []*apptest.Server{apptest.Start(t, redis), apptest.Start(t, redis), apptest.Start(t, redis)}
	token := servers[0].SignIn("Ada")
	writer := join(t.Context(), t, "lobby", token, servers[0])
	send := func() {
		if _, err := writer.send(t.Context(), "the show goes on"); err != nil {
			t.Error(err)
		}
	}
	send()
	clients := make([]*resumingClient, crowdSize)
	var running sync.WaitGroup
	for i := range clients {
		clients[i] = &resumingClient{t: t, token: token, cursor: "0-0"}
		running.Go(func() { clients[i].connect(servers[i%3]); clients[i].read(1) })
	}
	running.Wait()

	const more = 20
	before := commandsOf(t, redis)
	servers[2].Kill()
	killed := time.Now()
	latency := make([]time.Duration, crowdSize) // from the kill to the next message
	for i, c := range clients {
		running.Go(func() {
			if i%3 == 2 {
				c.Cut()
				time.Sleep(rand.N(500 * time.Millisecond)) // the jitter that the protocol requires
				c.connect(servers[i/3%2])
			}
			c.read(2)
			latency[i] = time.Since(killed)
			c.read(1 + more)
		})
	}
	for range more {
		send()
		time.Sleep(50 * time.Millisecond) // sends for about a second
	}
	running.Wait()
	ran := commandsOf(t, redis).since(before)
	var moved []time.Duration
	for i := 2; i < crowdSize; i += 3 {
		moved = append(moved, latency[i])
	}
	t.Logf("%d clients of the killed server resumed within %v (p99) and %v (max); Redis ran %v",
		len(moved), percentile(moved, 99), percentile(moved, 100), ran)
	if reads := ran["xrange"] + ran["xrevrange"]; reads > crowdSize/10 {
		t.Errorf("Redis read the room %d times, want at most %d (one for ten clients): %v", reads, crowdSize/10, ran)
	}
}
