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

func TestCostOfIdleSockets(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	server := apptest.Start(t, redis)
	token := server.SignIn("Ada")
	before := server.ResidentBytes()
	members := make([]*member, crowd)
	var joining sync.WaitGroup
	for i := range members {
		members[i] = join(t.Context(), t, fmt.Sprintf("room-%d", i), token, server)
		joining.Go(func() {
			if _, err := members[i].send(t.Context(), "hello"); err != nil {
				t.Errorf("send: %v", err)
			}
		})
	}
	joining.Wait()
	for _, m := range members {
		m.await(30*time.Second, 1)
	}
	t.Logf("%d sockets with a room each: %d bytes of memory each", crowd, (server.ResidentBytes()-before)/crowd)

	expectFewConnections(t, redis, 1)
	commands := awaitQuiet(t, redis)
	quiet := 10 * time.Second
	if apptest.Long(t, "10 s without a message instead of a minute") {
		quiet = time.Minute
	}
	time.Sleep(quiet) // what is measured
	ran := commandsOf(t, redis).since(commands)
	t.Logf("in %v without a message Redis ran %v", quiet, ran)
	t.Logf("memory now: %d bytes each", (server.ResidentBytes()-before)/crowd)
	// Presence is renewed for all members at once, every 25 s, by two scripts that read the
	// time.
	for name, most := range map[string]int{"evalsha": 6, "time": 6, "zadd": 3, "zrangebyscore": 3} {
		if int(ran[name]) > most {
			t.Errorf("Redis ran %s %d times in %v, want at most %d", name, ran[name], quiet, most)
		}
		delete(ran, name)
	}
	if ran.total() > 8 {
		t.Errorf("Redis ran %d other commands in %v, want at most 8: %v", ran.total(), quiet, ran)
	}
	expectFewConnections(t, redis, 1)

	for _, i := range []int{0, crowd / 2, crowd - 1} {
		if _, err := members[i].send(t.Context(), "hello again"); err != nil {
			t.Error(err)
		}
		members[i].await(5*time.Second, 2)
		if _, connections := members[i].redisStatuses(); connections != 1 {
			t.Errorf("a member made %d connections, want 1: it lost the quiet one", connections)
		}
	}
}

// awaitQuiet waits until Redis has run nothing for a second: everyone's presence is stored.
func awaitQuiet(t *testing.T, redis *redistest.Server) (counts commands) {
	t.Helper()
	began := time.Now()
	apptest.Eventually(t, 30*time.Second, "Redis to be quiet", func() bool {
		counts = commandsOf(t, redis)
		time.Sleep(time.Second)
		return commandsOf(t, redis).since(counts).total() == 0
	})
	t.Logf("Redis was quiet %v after the last message", time.Since(began))
	return counts
}
