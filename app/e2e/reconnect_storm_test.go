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
	dies, stays := apptest.Start(t, redis), apptest.Start(t, redis)
	token := stays.SignIn("Ada")
	writer := join(t.Context(), t, "lobby", token, stays)
	clients := make([]*returner, crowd)
	var working sync.WaitGroup
	for i := range clients {
		clients[i] = &returner{t: t, token: token, cursor: "0-0"}
		working.Go(func() { clients[i].connect(dies) })
	}
	working.Wait()
	send := func(count int) {
		for i := range count {
			if _, err := writer.send(t.Context(), fmt.Sprintf("message %d", i)); err != nil {
				t.Fatal(err)
			}
		}
	}
	send(50)
	for _, c := range clients {
		working.Go(func() { c.read(50) })
	}
	working.Wait()
	dies.Kill()
	send(200)
	dies.Start() // with nothing read yet
	dies.AwaitReady()

	before := commandsOf(t, redis)
	began := time.Now()
	for _, c := range clients {
		working.Go(func() { c.connect(dies); c.read(250) })
	}
	working.Wait()
	took := time.Since(began)
	ran := commandsOf(t, redis).since(before)
	t.Logf("%d clients reconnected and caught up in %v; Redis ran %v", crowd, took, ran)
	// A server reuses what it read for a second, and reads who is present twice a second.
	if ran.total() > crowd/10+20*int(took/time.Second) {
		t.Errorf("Redis ran %d commands for %d clients: %v", ran.total(), crowd, ran)
	}
	expectFewConnections(t, redis, 2)
}
