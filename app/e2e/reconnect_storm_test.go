//go:build unix

package e2e

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"burble/app/apptest"
	"burble/streams/redistest"
)

func TestReconnectStormSharesReads(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	restarted, other := apptest.Start(t, redis), apptest.Start(t, redis)
	token := other.SignIn("Ada")
	writer := join(t.Context(), t, "lobby", token, other)
	clients := make([]*resumingClient, crowdSize)
	var running sync.WaitGroup
	for i := range clients {
		clients[i] = &resumingClient{t: t, token: token, cursor: "0-0"}
		running.Go(func() { clients[i].connect(restarted) })
	}
	running.Wait()
	send := func(count int) {
		for i := range count {
			if _, err := writer.send(t.Context(), fmt.Sprintf("message %d", i)); err != nil {
				t.Fatal(err)
			}
		}
	}
	send(50)
	for _, c := range clients {
		running.Go(func() { c.read(50) })
	}
	running.Wait()
	restarted.Kill()
	send(200)
	restarted.Start() // the new process has not read the room yet
	restarted.AwaitReady()

	before := commandsOf(t, redis)
	began := time.Now()
	for _, c := range clients {
		running.Go(func() { c.connect(restarted); c.read(250) })
	}
	running.Wait()
	took := time.Since(began)
	ran := commandsOf(t, redis).since(before)
	t.Logf("%d clients reconnected and caught up in %v; Redis ran %v", crowdSize, took, ran)
	// A server shares the result of a read among its clients for one second. It reads the list of present
	// users twice a second.
	if ran.total() > crowdSize/10+20*int(took/time.Second) {
		t.Errorf("Redis ran %d commands for %d clients, want at most a tenth and 20 a second: %v", ran.total(), crowdSize, ran)
	}
	expectFewConnections(t, redis, 2)
}
