//go:build unix

package main_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"burble/streams/redistest"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"
)

func TestRetriedSendIsStoredOnceAndGetsTheSameID(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	one, other := burble(t, server), burble(t, server)
	token := one.token("Ada")
	here, there := chat(t.Context(), t, "lobby", token, one), chat(t.Context(), t, "lobby", token, other)

	t.Run("on sockets, then over HTTP", func(t *testing.T) {
		key := uuid.NewString()
		first := sendUnder(t, here, key)
		for where, c := range map[string]*chatter{"the same socket": here, "another process": there} {
			if id := sendUnder(t, c, key); id != first {
				t.Errorf("on %s: %s, not %s", where, id, first)
			}
		}
		for _, p := range []*process{one, other} {
			if status, body := p.post(token, "lobby", key, key); status != http.StatusOK || postedID(t, body) != first {
				t.Errorf("over HTTP: %d %s, not 200 and %s", status, body, first)
			}
		}
	})
	t.Run("over HTTP, then on sockets", func(t *testing.T) {
		key := uuid.NewString()
		status, first := one.post(token, "lobby", key, key)
		if status != http.StatusCreated {
			t.Errorf("first: %d %s", status, first)
		}
		for _, p := range []*process{one, other} {
			if status, body := p.post(token, "lobby", key, key); status != http.StatusOK || body != first {
				t.Errorf("again: %d %s, not 200 and %s", status, body, first)
			}
		}
		if id := sendUnder(t, there, key); id != postedID(t, first) {
			t.Errorf("on a socket: %s, not that of %s", id, first)
		}
	})
	t.Run("everywhere at once", func(t *testing.T) {
		key := uuid.NewString()
		var created atomic.Int32
		var ids sync.Map
		var sending sync.WaitGroup
		for range 8 {
			for _, c := range []*chatter{here, there} {
				// The answers to one key are told apart by nothing, so each has its own socket.
				c := chat(t.Context(), t, "lobby", token, c.servers...)
				sending.Go(func() { ids.Store(sendUnder(t, c, key), true) })
			}
			for _, p := range []*process{one, other} {
				sending.Go(func() {
					status, body := p.post(token, "lobby", key, key)
					if status == http.StatusCreated {
						created.Add(1)
					} else if status != http.StatusOK {
						t.Errorf("over HTTP: %d %s", status, body)
					}
					ids.Store(postedID(t, body), true)
				})
			}
		}
		sending.Wait()
		count := 0
		ids.Range(func(any, any) bool { count++; return true })
		if count != 1 || created.Load() > 1 {
			t.Errorf("one key got %d IDs and was created %d times", count, created.Load())
		}
	})
	wantOnce(t, server, "lobby", 3)
}

func TestSendIsStoredOnceThoughRepliesOfRedisAreCut(t *testing.T) {
	t.Parallel()
	server := redistest.StartTCP(t)
	network := newNetwork(t, server.Addr)
	one := launch(t, "redis://"+network.Addr().String())
	one.awaitReady()
	other := burble(t, server)
	token := one.token("Ada")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var sent, enough atomic.Int64
	var sending sync.WaitGroup
	var chatters []*chatter
	for i := range 8 {
		// Half of them are now here, now there, and come to the other for a retry.
		c := chat(ctx, t, "lobby", token, [][]*process{{one}, {one, other}}[i%2]...)
		chatters = append(chatters, c)
		sending.Go(func() {
			for enough.Load() == 0 {
				if _, err := c.send(ctx, "is anybody there?"); err != nil {
					t.Errorf("send: %v", err)
					return
				}
				sent.Add(1)
			}
		})
	}
	client := server.Client()
	defer client.Close()
	for range 20 {
		// Every connection breaks within some reply, until a few have; then the weather
		// is good for a while.
		cut := statOf(t, client, "total_connections_received") + 5
		network.worst.Store(400 << rand.N(8))
		// The good connections of before are ended by Redis itself.
		if err := client.ClientKillByFilter(ctx, "TYPE", "normal", "SKIPME", "yes").Err(); err != nil {
			t.Fatal(err)
		}
		chatters[rand.N(len(chatters))].cut()
		eventually(t, 20*time.Second, "connections to break", func() bool { return statOf(t, client, "total_connections_received") >= cut })
		network.worst.Store(0)
		before := sent.Load()
		eventually(t, 20*time.Second, "sends to go on", func() bool { return sent.Load() > before+64 })
	}
	enough.Store(1)
	sending.Wait()
	wantOnce(t, server, "lobby", int(sent.Load()))
	for _, c := range chatters {
		eventually(t, 20*time.Second, "a client to have everything", func() bool { return c.has() >= int(sent.Load()) })
	}
	t.Logf("%d messages over %d connections to Redis", sent.Load(), statOf(t, client, "total_connections_received"))
}

// statOf is a number that Redis keeps about itself.
func statOf(t *testing.T, client *redis.Client, name string) (count int) {
	t.Helper()
	stats, err := client.Info(context.Background(), "stats").Result()
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(stats, name+":")
	if _, err := fmt.Sscan(rest, &count); err != nil {
		t.Fatal(err)
	}
	return count
}

func sendUnder(t *testing.T, c *chatter, key string) (id string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	id, err := c.sendUnder(ctx, key, key)
	if err != nil {
		t.Errorf("send: %v", err)
	}
	return id
}

func postedID(t *testing.T, body string) string {
	var posted struct{ ID, Cursor, Key string }
	if err := json.Unmarshal([]byte(body), &posted); err != nil || !strings.HasPrefix(posted.Cursor, posted.ID+"@") {
		t.Errorf("want an id and its cursor: %s", body)
	}
	return posted.ID
}

// wantOnce checks that so many messages are stored, no key twice.
func wantOnce(t *testing.T, server *redistest.Server, room string, count int) {
	t.Helper()
	keys := make(map[any]bool)
	entries := entriesOf(t, server, room)
	for _, entry := range entries {
		keys[entry.Values["key"]] = true
	}
	if len(entries) != count || len(keys) != count {
		t.Errorf("%d entries under %d keys are stored, want %d", len(entries), len(keys), count)
	}
}

// network lies between a Burble and its Redis.
type network struct {
	net.Listener
	redis string
	worst atomic.Int64 // new connections break before Redis has sent so many bytes; 0: never
}

func newNetwork(t *testing.T, redis string) *network {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n := &network{Listener: listener, redis: redis}
	ended := make(chan struct{})
	go func() { defer close(ended); n.run() }()
	t.Cleanup(func() { listener.Close(); <-ended })
	return n
}

// run carries connections until the listener is closed and they have ended.
func (n *network) run() {
	var open sync.WaitGroup
	defer open.Wait()
	for {
		conn, err := n.Accept()
		if err != nil {
			return
		}
		open.Go(func() { n.carry(conn.(*net.TCPConn)) })
	}
}

func (n *network) carry(burble *net.TCPConn) {
	defer burble.Close()
	redis, err := net.Dial("tcp", n.redis)
	if err != nil {
		return
	}
	defer redis.Close()
	var asking sync.WaitGroup
	defer asking.Wait()
	asking.Go(func() { io.Copy(redis, burble); redis.Close() })
	most := int64(math.MaxInt64)
	if worst := n.worst.Load(); worst > 0 {
		most = rand.N(worst)
	}
	io.CopyN(burble, redis, most)
	if rand.N(2) == 0 {
		burble.SetLinger(0) // a reset, else an end
	}
	burble.Close()
}
