//go:build unix

package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"burble/app/apptest"
	"burble/app/client"
	"burble/streams/redistest"
)

func TestClientsContinueAfterRedisIsKilled(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	redis := redistest.Start(t, "--appendonly", "yes", "--appendfsync", "always")
	duration := 5 * time.Second
	if apptest.IsLong(t, "Redis is away for 5 s instead of 10 s") {
		duration = 10 * time.Second
	}
	testOutage(t, redis, duration, redis.Kill, redis.Restart)
}

func TestClientsContinueAfterRedisHangs(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	redis := redistest.Start(t, "--appendonly", "yes", "--appendfsync", "always")
	testOutage(t, redis, 12*time.Second,
		func() { syscall.Kill(redis.PID(), syscall.SIGSTOP) },
		func() { syscall.Kill(redis.PID(), syscall.SIGCONT) })
}

// testOutage stops Redis for a while and restores it, while members send through two servers.
func testOutage(t *testing.T, redis *redistest.Server, duration time.Duration, breakRedis, restoreRedis func()) {
	servers := []*apptest.Server{
		apptest.Start(t, redis, "DURABILITY=disk"),
		apptest.Start(t, redis, "DURABILITY=disk"),
	}
	conversation := startConversation(t, servers...)
	stop := conversation.startSending()
	apptest.Eventually(t, patience, "messages to be stored", func() bool { return conversation.count() > 500 })

	breakRedis()
	began := time.Now()
	for _, server := range servers {
		apptest.Eventually(t, duration, "readiness to fail", func() bool { status, _ := server.Get("/readyz"); return status == http.StatusServiceUnavailable })
		_, body := server.Get("/readyz")
		t.Logf("readiness failed after %v: %s", time.Since(began), body)
	}
	expectErrorPage(t, servers[0])
	for i, m := range conversation.members {
		apptest.Eventually(t, duration, fmt.Sprintf("member %d to receive the status away", i), func() bool {
			statuses, _ := m.redisStatuses()
			return len(statuses) > 0 && statuses[len(statuses)-1] == "away"
		})
	}
	t.Logf("every client received the status after %v", time.Since(began))
	// The outage must last for a fixed time. There is no event to wait for.
	time.Sleep(time.Until(began.Add(duration)))

	stored := conversation.count()
	restoreRedis()
	began = time.Now()
	for _, server := range servers {
		server.AwaitReady()
	}
	t.Logf("ready %v after Redis was restored", time.Since(began))
	apptest.Eventually(t, patience, "messages to be stored again", func() bool { return conversation.count() > stored+500 })
	stop()
	conversation.expectAllRead(redis)
	for i, m := range conversation.members {
		statuses, connections := m.redisStatuses()
		if connections != 1 || !slices.Equal(statuses, []string{"away", "back"}) {
			t.Errorf("member %d made %d connections, want 1, and received the statuses %q", i, connections, statuses)
		}
	}
}

// expectErrorPage checks that requests fail within 9 s, and that a browser gets an error page. (A
// read from Redis times out after 5 s, and a page reads everything at once.)
func expectErrorPage(t *testing.T, server *apptest.Server) {
	t.Helper()
	var requests sync.WaitGroup
	defer requests.Wait()
	for path, accept := range map[string]string{"/r/talk": "text/html", "/": "text/html", "/r/talk/messages": "application/json"} {
		requests.Go(func() {
			began := time.Now()
			status, body := server.Get(path, "Accept", accept)
			if took := time.Since(began); status != http.StatusServiceUnavailable || took > 9*time.Second {
				t.Errorf("GET %s without Redis: status %d after %v, want 503 within 9 s", path, status, took)
			}
			if isPage := strings.Contains(strings.ToLower(body), "<!doctype html>"); isPage != (accept == "text/html") {
				t.Errorf("GET %s without Redis, Accept %s: got %s, want a page for text/html and JSON otherwise", path, accept, body)
			}
		})
	}
}

func TestFullRedisRefusesWritesAndServesReads(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t, "--maxmemory-policy", "noeviction")
	server := apptest.Start(t, redis)
	token := server.SignIn("Ada")
	writer, reader := join(t.Context(), t, "lobby", token, server), join(t.Context(), t, "lobby", "", server)
	if _, err := writer.send(t.Context(), "before Redis is full"); err != nil {
		t.Fatal(err)
	}
	apptest.SetMaxMemory(t, redis, "1mb") // less than an empty Redis uses
	socket, err := server.Client(token).Dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Cut()
	if err := socket.Send(client.Message{Room: "lobby", Key: client.NewKey(), Text: "while Redis is full"}); err != nil {
		t.Fatal(err)
	}
	if refused, err := client.Await[*client.Error](socket); err != nil || refused.Code != "full" {
		t.Errorf("WebSocket: %+v, %v; want full", refused, err)
	}
	if status, body := server.Post(token, "lobby", client.NewKey(), "while Redis is full"); status != http.StatusInsufficientStorage || !strings.Contains(body, `"full"`) {
		t.Errorf("HTTP: %d %s, want 507 full", status, body)
	}
	apptest.Eventually(t, 10*time.Second, "readiness to fail", func() bool {
		status, body := server.Get("/readyz")
		return status == http.StatusServiceUnavailable && strings.Contains(body, "full")
	})

	newcomer := join(t.Context(), t, "lobby", "", server)
	reader.await(10*time.Second, 1)
	newcomer.await(10*time.Second, 1)
	for _, path := range []string{"/r/lobby", "/r/lobby/messages", "/"} {
		if status, body := server.Get(path); status != http.StatusOK {
			t.Errorf("GET %s: status %d, want 200: %s", path, status, body)
		}
	}

	apptest.SetMaxMemory(t, redis, "0")
	server.AwaitReady()
	if _, err := writer.send(t.Context(), "after Redis was full"); err != nil {
		t.Error(err)
	}
	reader.await(10*time.Second, 2)
}
