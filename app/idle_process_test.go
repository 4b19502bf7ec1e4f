//go:build unix

package main_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"burble/streams/redistest"
)

const crowd = 2000 // sockets

func TestTwoThousandQuietSocketsCostRedisNextToNothing(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	p := burble(t, server)
	token := p.token("Ada")
	before := p.memory()
	chatters := make([]*chatter, crowd)
	var joining sync.WaitGroup
	for i := range chatters {
		chatters[i] = chat(t.Context(), t, fmt.Sprintf("room-%d", i), token, p)
		joining.Go(func() {
			if _, err := chatters[i].send(t.Context(), "somebody was here"); err != nil {
				t.Errorf("send: %v", err)
			}
		})
	}
	joining.Wait()
	for _, c := range chatters {
		eventually(t, 30*time.Second, "everyone to read their message", func() bool { return c.has() == 1 })
	}
	t.Logf("memory for each of %d sockets with a room of its own: %d bytes", crowd, (p.memory()-before)/crowd)

	wantFewConnections(t, server, 1)
	commands := awaitQuiet(t, server)
	// Not to wait for anything: this is the time that is measured.
	quiet := time.Minute
	time.Sleep(quiet)
	spent := commandsOf(t, server).since(commands)
	t.Logf("in %v without a message: %v", quiet, spent)
	t.Logf("memory for each of them now: %d bytes", (p.memory()-before)/crowd)
	// One beat for all who are present, every 25 s: two scripts, which look at the time.
	for beat, most := range map[string]int{"evalsha": 6, "time": 6, "zadd": 3, "zrangebyscore": 3} {
		if int(spent[beat]) > most {
			t.Errorf("%d x %s in %v to say who is present", spent[beat], beat, quiet)
		}
		delete(spent, beat)
	}
	if spent.total() > 8 {
		t.Errorf("%d commands in %v without a message, want at most 8: %v", spent.total(), quiet, spent)
	}
	wantFewConnections(t, server, 1)

	for _, i := range []int{0, crowd / 2, crowd - 1} {
		if _, err := chatters[i].send(t.Context(), "and is again"); err != nil {
			t.Error(err)
		}
		eventually(t, 5*time.Second, "a room to wake up", func() bool { return chatters[i].has() == 2 })
		if _, sockets := chatters[i].heard(); sockets != 1 {
			t.Errorf("%d sockets instead of one: the quiet was not survived", sockets)
		}
	}
}

// awaitQuiet waits until Redis was asked nothing for a second: until all who came
// are said to be present.
func awaitQuiet(t *testing.T, server *redistest.Server) (done commands) {
	t.Helper()
	began := time.Now()
	eventually(t, 30*time.Second, "quiet", func() bool {
		done = commandsOf(t, server)
		time.Sleep(time.Second)
		return commandsOf(t, server).since(done).total() == 0
	})
	t.Logf("it was quiet %v after the last message", time.Since(began))
	return done
}

// wantFewConnections checks how many connections Redis has from so many processes.
func wantFewConnections(t *testing.T, server *redistest.Server, processes int) {
	t.Helper()
	client := server.Client()
	defer client.Close()
	list, err := client.ClientList(context.Background()).Result()
	if err != nil {
		t.Fatal(err)
	}
	count := strings.Count(list, "\n") - 1
	t.Logf("%d connections to Redis", count)
	if count > 8*processes {
		t.Errorf("%d connections to Redis, want at most 8 from each of %d processes:\n%s", count, processes, list)
	}
}

// commands is how often Redis did each.
type commands map[string]int

// commandsOf asks Redis, and leaves out what asking costs.
func commandsOf(t *testing.T, server *redistest.Server) commands {
	t.Helper()
	client := server.Client()
	defer client.Close()
	stats, err := client.Info(context.Background(), "commandstats").Result()
	if err != nil {
		t.Fatal(err)
	}
	done := make(commands)
	for line := range strings.Lines(stats) {
		name, rest, _ := strings.Cut(strings.TrimPrefix(line, "cmdstat_"), ":")
		var calls int
		if _, err := fmt.Sscanf(rest, "calls=%d", &calls); err != nil {
			continue
		}
		switch name {
		case "info", "client|list", "hello", "ping", "keys":
		default:
			done[name] = calls
		}
	}
	return done
}

func (c commands) since(before commands) commands {
	spent := make(commands)
	for name, calls := range c {
		if calls > before[name] {
			spent[name] = calls - before[name]
		}
	}
	return spent
}

func (c commands) total() (sum int) {
	for _, calls := range c {
		sum += calls
	}
	return sum
}
