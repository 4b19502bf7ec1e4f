package streams_test

// Helpers that inspect a Redis server. helpers_test.go lists them.

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"burble/streams/redistest"
)

// yardstick is a script whose time is the unit of redisTime.
const yardstick = "for i = 1, 1000 do redis.call('EXISTS', KEYS[1]) end"

// redisTime calls f until Redis spends at most limit on the commands of one call, but at most 100 times, because a busy
// machine interrupts commands. It returns the shortest time. The unit is the shortest time of 1,000 EXISTS in a script, so
// that limits hold on slow machines too.
func redisTime(t testing.TB, client redistest.Client, limit float64, f func()) float64 {
	t.Helper()
	ctx := context.Background()
	client.ConfigSet(ctx, "slowlog-log-slower-than", "0")
	client.ConfigSet(ctx, "slowlog-max-len", "10000")
	defer client.ConfigSet(ctx, "slowlog-log-slower-than", "-1")
	least, unit := time.Hour, time.Hour
	for range 100 {
		client.Do(ctx, "SLOWLOG", "RESET")
		client.Eval(ctx, yardstick, []string{"{0}"})
		f()
		commands, err := client.SlowLogGet(ctx, -1).Result()
		if err != nil {
			t.Fatal(err)
		}
		var all time.Duration
		for _, command := range commands {
			switch name := strings.ToLower(command.Args[0]); {
			case name == "eval" && command.Args[1] == yardstick:
				unit = min(unit, command.Duration)
			case name != "slowlog" && name != "config":
				all += command.Duration
			}
		}
		if least = min(least, all); least.Seconds() <= limit*unit.Seconds() {
			break
		}
	}
	return least.Seconds() / unit.Seconds()
}

// commandCalls returns how many times Redis ran each command, including commands in scripts.
func commandCalls(t testing.TB, client redistest.Client) map[string]int {
	t.Helper()
	info, err := client.Info(context.Background(), "commandstats").Result()
	if err != nil {
		t.Fatal(err)
	}
	counts := make(map[string]int)
	for line := range strings.Lines(info) {
		name, stats, found := strings.Cut(strings.TrimPrefix(line, "cmdstat_"), ":")
		var count int
		if _, err := fmt.Sscanf(stats, "calls=%d", &count); found && err == nil {
			counts[name] = count
		}
	}
	delete(counts, "info")
	delete(counts, "config|resetstat")
	return counts
}

// networkBytes returns how many bytes Redis has received or sent. direction is "input" or "output".
func networkBytes(t testing.TB, client redistest.Client, direction string) (total int) {
	t.Helper()
	info, err := client.Info(context.Background(), "stats").Result()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(info) {
		fmt.Sscanf(line, "total_net_"+direction+"_bytes:%d", &total)
	}
	return total
}

func sum(counts map[string]int) (total int) {
	for _, count := range counts {
		total += count
	}
	return total
}

// connections returns the number of connections to a server, not counting the client's own.
func connections(t testing.TB, client redistest.Client) int {
	t.Helper()
	list, err := client.Do(context.Background(), "CLIENT", "LIST").Text()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Count(list, "\n") - 1
}

// clientOf returns a client for the server.
func clientOf(t testing.TB, server *redistest.Server) redistest.Client {
	return redistest.Connect(t, server.Redis())
}

// startPrimary starts a Redis that replicas can join without delay.
func startPrimary(t testing.TB) *redistest.Server {
	return redistest.StartTCP(t, "--repl-diskless-sync-delay", "0")
}

func replicaArgs(t testing.TB, primary *redistest.Server) []string {
	host, port, err := net.SplitHostPort(primary.Addr)
	if err != nil {
		t.Fatal(err)
	}
	return []string{"--replicaof", host, port}
}

// dump returns the contents of all keys.
func dump(t *testing.T, backend redistest.Backend) string {
	t.Helper()
	ctx := context.Background()
	var all strings.Builder
	for _, key := range backend.Keys(t) {
		var value any
		switch backend.Client.Type(ctx, key).Val() {
		case "string":
			value = backend.Client.Get(ctx, key).Val()
		case "hash":
			value = backend.Client.HGetAll(ctx, key).Val()
		case "zset":
			value = backend.Client.ZRange(ctx, key, 0, -1).Val()
		case "stream":
			value = backend.Client.XRange(ctx, key, "-", "+").Val()
		default:
			t.Fatalf("key %q has an unexpected type", key)
		}
		fmt.Fprintln(&all, key, value)
	}
	return all.String()
}
