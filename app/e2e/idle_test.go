//go:build unix && !race

package e2e

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"burble/app/apptest"
	"burble/app/client"
	"burble/streams/redistest"
)

func TestCostOfIdleSockets(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	redis := redistest.Start(t)
	server := apptest.Start(t, redis)
	token := server.SignIn("Ada")
	before := server.ResidentBytes()
	members := make([]*member, crowdSize)
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
	t.Logf("%d sockets with a room each: %d bytes of memory each", crowdSize, (server.ResidentBytes()-before)/crowdSize)

	expectFewConnections(t, redis, 1)
	const quiet = time.Minute
	awaitQuiet(t, redis)
	time.Sleep(21 * time.Second) // the server checks newly followed rooms only after the current read, which blocks for up to 20 s
	commands := commandsOf(t, redis)
	time.Sleep(quiet) // the measurement needs this time
	ran := commandsOf(t, redis).since(commands)
	t.Logf("Redis ran %v in %v without messages", ran, quiet)
	t.Logf("memory after the quiet time: %d bytes each", (server.ResidentBytes()-before)/crowdSize)
	// Every 25 s, the server renews the presence of all members at once, with two scripts that read
	// the time.
	for name, maximum := range map[string]int{"evalsha": 6, "time": 6, "zadd": 3, "zrangebyscore": 3} {
		if int(ran[name]) > maximum {
			t.Errorf("Redis ran %s %d times in %v, want at most %d", name, ran[name], quiet, maximum)
		}
		delete(ran, name)
	}
	if ran.total() > 8 {
		t.Errorf("Redis ran %d other commands in %v, want at most 8: %v", ran.total(), quiet, ran)
	}
	expectFewConnections(t, redis, 1)

	for _, i := range []int{0, crowdSize / 2, crowdSize - 1} {
		if _, err := members[i].send(t.Context(), "hello again"); err != nil {
			t.Error(err)
		}
		members[i].await(5*time.Second, 2)
		if _, connections := members[i].redisStatuses(); connections != 1 {
			t.Errorf("a member made %d connections, want 1: it lost its idle connection", connections)
		}
	}
}

// The goroutine of an idle client has the smallest stack, 2 KiB. If it ever needs more, it keeps 4 KiB,
// which is a sixth more memory for the whole client.
func TestCostOfStacksOfIdleClients(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	const clients, maximum = 1000, 3 << 10 // bytes for each client
	const reads, stacks = "burble_live_reads", "go_memstats_stack_inuse_bytes"
	redis := redistest.Start(t)
	lobby := client.Follow{Room: "lobby"}
	for name, connect := range map[string]func(*client.Server) error{
		"WebSocket": func(server *client.Server) error {
			socket, err := server.Dial(t.Context(), lobby)
			if err == nil {
				t.Cleanup(socket.Cut)
				_, err = socket.Sync()
			}
			return err
		},
		"events": func(server *client.Server) error {
			stream, err := server.Live(t.Context(), lobby, client.SSE)
			if err == nil {
				t.Cleanup(func() { stream.Close() })
				_, err = stream.Next()
			}
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			server := apptest.Start(t, redis)
			here := server.Client(server.SignIn("Ada"))
			before := server.Metrics()
			for range clients {
				if err := connect(here); err != nil {
					t.Fatal(err)
				}
			}
			var each float64
			defer func() { t.Logf("%v bytes of stack for each client", each) }()
			apptest.Eventually(t, patience, "all live reads, with small stacks", func() bool {
				now := server.Metrics()
				each = (now[stacks] - before[stacks]) / clients
				return now[reads] == clients && each < maximum
			})
		})
	}
}

// awaitQuiet waits until Redis runs no command for 3 s. By then, the presence of all members is stored.
func awaitQuiet(t *testing.T, redis *redistest.Server) {
	t.Helper()
	began := time.Now()
	apptest.Eventually(t, 30*time.Second, "Redis to be quiet", func() bool {
		counts := commandsOf(t, redis)
		time.Sleep(3 * time.Second)
		return commandsOf(t, redis).since(counts).total() == 0
	})
	t.Logf("Redis became quiet %v after the last message", time.Since(began))
}
