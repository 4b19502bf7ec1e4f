//go:build unix

package main_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"time"

	"burble/streams/redistest"
)

// What is published while a server has no connection to Redis arrives when it has one
// again, and its clients notice nothing.
func TestClientsDoNotNoticeThatTheirServerLostRedisForAMoment(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	wire := redistest.StartProxy(t, server.Addr)
	cut := launch(t, "redis://"+wire.Addr)
	cut.awaitReady()
	whole := burble(t, server)
	token := whole.token("Ada")
	reader, writer := chat(t.Context(), t, "lobby", token, cut), chat(t.Context(), t, "lobby", token, whole)
	said := 0
	say := func() {
		t.Helper()
		if _, err := writer.send(t.Context(), fmt.Sprintf("message %d", said)); err != nil {
			t.Fatal(err)
		}
		said++
	}
	say()
	var slowest time.Duration
	for range 20 {
		eventually(t, 20*time.Second, "the reader to have all", func() bool { return reader.has() == said })
		wire.Point("") // all connections end, and there are no others
		say()
		wire.Point(server.Addr)
		began := time.Now()
		eventually(t, 20*time.Second, "what was published in the gap", func() bool { return reader.has() == said })
		slowest = max(slowest, time.Since(began))
	}
	t.Logf("what was published in 20 gaps came at most %v after them", slowest)
	if statuses, sockets := reader.heard(); sockets != 1 {
		t.Errorf("the reader needed %d sockets, and was told %q", sockets, statuses)
	}
}

func TestWhoMissedThirtyThousandEntriesGetsThemAll(t *testing.T) {
	t.Parallel()
	count := 30_000
	if os.Getenv("BURBLE_TEST_RACED") != "" {
		count = 6_000
	}
	server := redistest.Start(t)
	p := burble(t, server)
	token := p.token("Ada")
	reader := &returner{t: t, token: token, cursor: "0-0"}
	reader.come(p)
	writers := make([]*chatter, 16)
	for i := range writers {
		writers[i] = chat(t.Context(), t, "lobby", token, p)
	}
	writers[0].send(t.Context(), "the last that is not missed")
	reader.read(1)
	reader.cut()
	var writing sync.WaitGroup
	for _, writer := range writers {
		writing.Go(func() {
			for i := range count / len(writers) {
				if _, err := writer.send(t.Context(), fmt.Sprint("missed ", i)); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	writing.Wait()
	stored := len(entriesOf(t, server, "lobby"))
	began := time.Now()
	reader.come(p)
	reader.read(stored)
	t.Logf("%d missed entries came within %v", stored-1, time.Since(began))
}

// A third of 2,000 clients loses its server while messages go on.
func TestWhoseServerWasKilledGoesOnAtAnother(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	servers := []*process{burble(t, server), burble(t, server), burble(t, server)}
	token := servers[0].token("Ada")
	writer := chat(t.Context(), t, "lobby", token, servers[0])
	send := func() {
		if _, err := writer.send(t.Context(), "it goes on"); err != nil {
			t.Error(err)
		}
	}
	send()
	herd := make([]*returner, crowd)
	var working sync.WaitGroup
	for i := range herd {
		herd[i] = &returner{t: t, token: token, cursor: "0-0"}
		working.Go(func() { herd[i].come(servers[i%3]); herd[i].read(1) })
	}
	working.Wait()

	const more = 20
	commands := commandsOf(t, server)
	servers[2].kill()
	killed := time.Now()
	times := make([]time.Duration, crowd)
	for i, r := range herd {
		working.Go(func() {
			if i%3 == 2 { // as the protocol asks: with jitter
				r.cut()
				time.Sleep(rand.N(500 * time.Millisecond))
				r.come(servers[i/3%2])
			}
			r.read(2) // the first after the kill
			times[i] = time.Since(killed)
			r.read(1 + more)
		})
	}
	for range more {
		send()
		time.Sleep(50 * time.Millisecond) // messages go on for about a second
	}
	working.Wait()
	spent := commandsOf(t, server).since(commands)
	var lost []time.Duration
	for i := 2; i < crowd; i += 3 {
		lost = append(lost, times[i])
	}
	t.Logf("%d clients of a killed server were back live within %v (99 of 100, all %v); commands of Redis: %v",
		len(lost), percentile(lost, 99), percentile(lost, 100), spent)
	if reads := spent["xrange"] + spent["xrevrange"]; reads > crowd/10 {
		t.Errorf("%d reads of the room for %d who came back: %v", reads, len(lost), spent)
	}
}
