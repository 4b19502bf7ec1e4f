//go:build unix

package e2e

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"burble/app/apptest"
	"burble/app/client"
	"burble/streams/redistest"
)

// Helpers for this package's tests:
//
//	join                  adds a member: a client.Bot in one room that keeps what it reads
//	commandsOf            counts how many times Redis ran each command; see since and total
//	redisStat             returns a number from Redis's INFO
//	expectFewConnections  checks the number of connections to Redis
//	percentile            returns a percentile of durations
//
// In conversation_test.go, many members send in one room, and the test checks what each of them
// read. In resuming_client_test.go, a client connects and reads only when the test calls it.
// Package apptest starts servers and reads Redis.

// crowdSize is the number of clients in a reconnect storm or a test of idle sockets.
const crowdSize = 2000

// member is a client that stays in one room until the test ends. It reads the room from its
// beginning. It fails the test if an entry is missing, repeated or out of order.
type member struct {
	*client.Bot
	t    testing.TB
	room string

	mu          sync.Mutex
	entries     []client.Entry
	statuses    []string // the statuses of Redis that the server sent
	closeCodes  []int
	connections int            // number of connections made so far
	socket      *client.Socket // the latest connection
	keys        map[string]bool
}

// join adds a member to the room. It connects to any of the servers.
func join(ctx context.Context, t testing.TB, room, token string, servers ...*apptest.Server) *member {
	m := &member{t: t, room: room, keys: make(map[string]bool)}
	m.Bot = &client.Bot{
		Follows: []client.Follow{{Room: room, After: "0-0"}}, MaxBackoff: time.Second,
		Handle: m.handle, Connected: m.connected, Disconnected: m.disconnected,
	}
	for _, server := range servers {
		m.Servers = append(m.Servers, server.Client(token))
	}
	ctx, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := m.Run(ctx); err != nil {
			t.Errorf("a server refused a member: %v", err)
		}
	}()
	t.Cleanup(func() { stop(); <-ended })
	return m
}

func (m *member) handle(frame client.Frame) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch f := frame.(type) {
	case *client.Followed:
		if f.State != client.Resumed {
			m.t.Errorf("followed is %q, want resumed: %+v", f.State, f)
		}
	case *client.Entries:
		m.entries = append(m.entries, f.Entries...)
	case *client.Status:
		m.statuses = append(m.statuses, f.Redis)
	case *client.Error:
		if !m.keys[f.Key] {
			m.t.Errorf("got an error that is not about a message of this member: %+v", f)
		}
	}
}

func (m *member) connected(socket *client.Socket) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.socket = socket
	m.connections++
}

func (m *member) disconnected(err error) {
	if _, ok := errors.AsType[*client.ContinuityError](err); ok || errors.Is(err, client.ErrNoReply) {
		m.t.Error(err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if closed, ok := errors.AsType[*client.CloseError](err); ok {
		m.closeCodes = append(m.closeCodes, closed.Code)
	}
}

// send sends a message with a new key, retries until the server has stored it, and returns its entry ID.
func (m *member) send(ctx context.Context, text string) (id string, err error) {
	return m.sendWithKey(ctx, client.NewKey(), text)
}

// sendWithKey is like send, with a given key.
func (m *member) sendWithKey(ctx context.Context, key, text string) (id string, err error) {
	m.mu.Lock()
	m.keys[key] = true
	m.mu.Unlock()
	stored, err := m.Append(ctx, client.Message{Room: m.room, Key: key, Text: text})
	if err != nil {
		return "", err
	}
	return stored.ID, nil
}

// count returns how many entries the member has read.
func (m *member) count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.entries)
}

// await waits until the member has read count entries, and fails the test if it reads more.
func (m *member) await(within time.Duration, count int) {
	m.t.Helper()
	apptest.Eventually(m.t, within, fmt.Sprintf("a member to read %d entries", count), func() bool { return m.count() >= count })
	if got := m.count(); got != count {
		m.t.Errorf("a member read %d entries, want %d", got, count)
	}
}

// cut closes the member's connection as if the network had failed.
func (m *member) cut() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.socket != nil {
		m.socket.Cut()
	}
}

// redisStatuses returns the statuses of Redis that the member received, and how many connections it
// has made.
func (m *member) redisStatuses() (statuses []string, connections int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.statuses), m.connections
}

// expectFewConnections checks that Redis has at most 8 connections from each server.
func expectFewConnections(t *testing.T, redis *redistest.Server, servers int) {
	t.Helper()
	client := redis.Client()
	defer client.Close()
	list, err := client.ClientList(context.Background()).Result()
	if err != nil {
		t.Fatal(err)
	}
	count := strings.Count(list, "\n") - 1 // without this test's own connection
	t.Logf("%d connections to Redis", count)
	if count > 8*servers {
		t.Errorf("%d connections to Redis, want at most 8 from each of %d servers:\n%s", count, servers, list)
	}
}

// commands counts how many times Redis ran each command.
type commands map[string]int

// commandsOf reads the counts from Redis. It leaves out the commands that tests send.
func commandsOf(t *testing.T, server *redistest.Server) commands {
	t.Helper()
	client := server.Client()
	defer client.Close()
	stats, err := client.Info(context.Background(), "commandstats").Result()
	if err != nil {
		t.Fatal(err)
	}
	counts := make(commands)
	for line := range strings.Lines(stats) {
		name, rest, _ := strings.Cut(strings.TrimPrefix(line, "cmdstat_"), ":")
		var calls int
		if _, err := fmt.Sscanf(rest, "calls=%d", &calls); err != nil {
			continue
		}
		switch name {
		case "info", "client|list", "hello", "ping", "keys":
		default:
			counts[name] = calls
		}
	}
	return counts
}

// since returns the commands that Redis ran after an earlier count.
func (c commands) since(before commands) commands {
	difference := make(commands)
	for name, calls := range c {
		if calls > before[name] {
			difference[name] = calls - before[name]
		}
	}
	return difference
}

func (c commands) total() (sum int) {
	for _, calls := range c {
		sum += calls
	}
	return sum
}

// redisStat returns a number from Redis's INFO.
func redisStat(t *testing.T, redis redistest.Client, name string) int {
	t.Helper()
	stats, err := redis.Info(context.Background()).Result()
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(stats, name+":")
	value, _, _ := strings.Cut(rest, "\r\n")
	count, err := strconv.Atoi(value)
	if err != nil {
		t.Fatal(err)
	}
	return count
}

// percentile sorts the durations and returns the given percentile.
func percentile(all []time.Duration, percent int) time.Duration {
	slices.Sort(all)
	return all[min(len(all)*percent/100, len(all)-1)]
}
