//go:build unix

package e2e

import (
	"context"
	"io"
	"math"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"burble/app/apptest"
	"burble/app/client"
	"burble/streams/redistest"
)

func TestRetriedSendIsStoredOnceUnderOneID(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	serverA, serverB := apptest.Start(t, redis), apptest.Start(t, redis)
	token := serverA.SignIn("Ada")
	here, there := join(t.Context(), t, "lobby", token, serverA), join(t.Context(), t, "lobby", token, serverB)

	t.Run("WebSocket first, then HTTP", func(t *testing.T) {
		key := client.NewKey()
		first := sendWithKey(t, here, key)
		for where, m := range map[string]*member{"on the same server": here, "on the other server": there} {
			if id := sendWithKey(t, m, key); id != first {
				t.Errorf("retry %s: %s, want %s", where, id, first)
			}
		}
		for _, server := range []*apptest.Server{serverA, serverB} {
			if status, body := server.Post(token, "lobby", key, key); status != http.StatusOK || apptest.PostedID(t, body) != first {
				t.Errorf("retry over HTTP: %d %s, want 200 and %s", status, body, first)
			}
		}
	})
	t.Run("HTTP first, then WebSocket", func(t *testing.T) {
		key := client.NewKey()
		status, first := serverA.Post(token, "lobby", key, key)
		if status != http.StatusCreated {
			t.Errorf("first post: %d %s, want 201", status, first)
		}
		for _, server := range []*apptest.Server{serverA, serverB} {
			if status, body := server.Post(token, "lobby", key, key); status != http.StatusOK || body != first {
				t.Errorf("retry: %d %s, want 200 %s", status, body, first)
			}
		}
		if id := sendWithKey(t, there, key); id != apptest.PostedID(t, first) {
			t.Errorf("retry on a WebSocket: %s, want the ID of %s", id, first)
		}
	})
	t.Run("everywhere at once", func(t *testing.T) {
		key := client.NewKey()
		var created atomic.Int32
		var ids sync.Map
		var sending sync.WaitGroup
		for range 8 {
			for _, server := range []*apptest.Server{serverA, serverB} {
				m := join(t.Context(), t, "lobby", token, server)
				sending.Go(func() { ids.Store(sendWithKey(t, m, key), true) })
				sending.Go(func() {
					status, body := server.Post(token, "lobby", key, key)
					if status == http.StatusCreated {
						created.Add(1)
					} else if status != http.StatusOK {
						t.Errorf("post: status %d, want 200 or 201: %s", status, body)
					}
					ids.Store(apptest.PostedID(t, body), true)
				})
			}
		}
		sending.Wait()
		count := 0
		ids.Range(func(any, any) bool { count++; return true })
		if count != 1 || created.Load() > 1 {
			t.Errorf("one key has %d IDs from %d requests that created an entry, want 1 and at most 1", count, created.Load())
		}
	})
	apptest.ExpectStoredOnce(t, redis, "lobby", 3)
}

// sendWithKey sends a message whose text is its key.
func sendWithKey(t *testing.T, m *member, key string) (id string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	id, err := m.sendWithKey(ctx, key, key)
	if err != nil {
		t.Errorf("send: %v", err)
	}
	return id
}

func TestSendIsStoredOnceWhenRedisRepliesAreLost(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	redis := redistest.StartTCP(t)
	network := startUnreliableNetwork(t, redis.Addr)
	serverA := apptest.Launch(t, "redis://"+network.Addr().String())
	serverA.AwaitReady()
	serverB := apptest.Start(t, redis)
	token := serverA.SignIn("Ada")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var sent atomic.Int64
	var enough atomic.Bool
	var sending sync.WaitGroup
	var members []*member
	for i := range 8 {
		// Every second member may also retry on the server with a reliable network.
		m := join(ctx, t, "lobby", token, [][]*apptest.Server{{serverA}, {serverA, serverB}}[i%2]...)
		members = append(members, m)
		sending.Go(func() {
			for !enough.Load() {
				if _, err := m.send(ctx, "is anybody there?"); err != nil {
					t.Errorf("send: %v", err)
					return
				}
				sent.Add(1)
			}
		})
	}
	client := redis.Client()
	defer client.Close()
	for range 20 {
		// Every connection breaks in the middle of a reply, until the server has opened five more.
		// Then the network is reliable until more messages are stored.
		wantConnections := redisStat(t, client, "total_connections_received") + 5
		network.limit.Store(400 << rand.N(8))
		// Close the connections that were opened before the limit was set.
		if err := client.ClientKillByFilter(ctx, "TYPE", "normal", "SKIPME", "yes").Err(); err != nil {
			t.Fatal(err)
		}
		members[rand.N(len(members))].cut()
		apptest.Eventually(t, patience, "connections to break", func() bool { return redisStat(t, client, "total_connections_received") >= wantConnections })
		network.limit.Store(0)
		before := sent.Load()
		apptest.Eventually(t, patience, "messages to be stored again", func() bool { return sent.Load() > before+64 })
	}
	enough.Store(true)
	sending.Wait()
	apptest.ExpectStoredOnce(t, redis, "lobby", int(sent.Load()))
	for _, m := range members {
		m.await(patience, int(sent.Load()))
	}
	t.Logf("%d messages over %d connections to Redis", sent.Load(), redisStat(t, client, "total_connections_received"))
}

// unreliableNetwork is a proxy between a server and Redis.
type unreliableNetwork struct {
	net.Listener
	redis string
	limit atomic.Int64 // new connections break within this many bytes of replies; 0 means never
}

func startUnreliableNetwork(t *testing.T, redis string) *unreliableNetwork {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n := &unreliableNetwork{Listener: listener, redis: redis}
	ended := make(chan struct{})
	go func() { defer close(ended); n.accept() }()
	t.Cleanup(func() { listener.Close(); <-ended })
	return n
}

// accept forwards connections until the listener is closed and the connections have ended.
func (n *unreliableNetwork) accept() {
	var open sync.WaitGroup
	defer open.Wait()
	for {
		conn, err := n.Accept()
		if err != nil {
			return
		}
		open.Go(func() { n.forward(conn.(*net.TCPConn)) })
	}
}

// forward forwards one connection to Redis, and breaks it after a random number of bytes if there is
// a limit.
func (n *unreliableNetwork) forward(server *net.TCPConn) {
	defer server.Close()
	redis, err := net.Dial("tcp", n.redis)
	if err != nil {
		return
	}
	defer redis.Close()
	var commands sync.WaitGroup
	defer commands.Wait()
	commands.Go(func() { io.Copy(redis, server); redis.Close() })
	bytes := int64(math.MaxInt64)
	if limit := n.limit.Load(); limit > 0 {
		bytes = rand.N(limit)
	}
	io.CopyN(server, redis, bytes)
	if rand.N(2) == 0 {
		server.SetLinger(0) // makes Close send a reset
	}
	server.Close()
}
