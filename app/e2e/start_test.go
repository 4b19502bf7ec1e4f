//go:build unix

package e2e

import (
	"net/http"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"burble/app/apptest"
	"burble/app/client"
	"burble/streams/redistest"
)

func TestServersWithoutSecretShareSessions(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	// Both servers start at once, and one of them stores the secret.
	serverA, serverB := apptest.Launch(t, apptest.RedisURL(redis)), apptest.Launch(t, apptest.RedisURL(redis))
	serverA.AwaitReady()
	serverB.AwaitReady()
	token := serverA.SignIn("Ada")
	if status, body := serverB.Post(token, "lobby", client.NewKey(), "hello"); status != http.StatusCreated {
		t.Errorf("a token from one server, used on the other: status %d, want 201: %s", status, body)
	}
	serverA.Restart()
	if status, body := serverA.Post(token, "lobby", client.NewKey(), "hello"); status != http.StatusCreated {
		t.Errorf("a token used after its server restarted: status %d, want 201: %s", status, body)
	}
	m := join(t.Context(), t, "lobby", token, serverB)
	m.await(10*time.Second, 2)
	if first, second := m.entries[0].User, m.entries[1].User; first != second || first.Name != "Ada" {
		t.Errorf("the messages have the users %+v and %+v, want Ada twice", first, second)
	}
}

func TestServerWaitsForRedis(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	server := launchWithoutRedis(t, redis)
	if server.URL() != "" {
		t.Error("the server is listening before Redis answered")
	}
	redis.Restart()
	server.AwaitReady()
}

// launchWithoutRedis kills Redis and starts a server, which waits for it.
func launchWithoutRedis(t *testing.T, redis *redistest.Server) *apptest.Server {
	t.Helper()
	redis.Kill()
	server := apptest.Launch(t, apptest.RedisURL(redis))
	apptest.Eventually(t, 10*time.Second, "the server to log that it waits", func() bool {
		return strings.Contains(server.Output(), "waiting for redis")
	})
	return server
}

func TestServerThatWaitedForRedisUsesEveryProcessor(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	server := launchWithoutRedis(t, redis)
	redis.Restart()
	server.AwaitReady()
	server.Signal(syscall.SIGQUIT) // prints its goroutines
	apptest.Eventually(t, 10*time.Second, "the process to end", server.HasExited)
	if got, want := strings.Count(server.Output(), "(*pumps).run.func1("), runtime.GOMAXPROCS(0); got != want {
		t.Errorf("%d pumps, want one for each of %d processors", got, want)
	}
}

func TestServerExitsWhenRedisRefusesIt(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	client := redis.Client()
	defer client.Close()
	if err := client.ConfigSet(t.Context(), "requirepass", "open sesame").Err(); err != nil {
		t.Fatal(err)
	}
	for url, reason := range map[string]string{
		apptest.RedisURL(redis): "NOAUTH",
		strings.Replace(apptest.RedisURL(redis), "unix://", "unix://:wrong@", 1): "WRONGPASS",
	} {
		expectExit(t, apptest.Launch(t, url), reason)
	}
}

func TestServerExitsWhenItsPortIsTaken(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	first := apptest.Start(t, redis)
	port := first.URL()[strings.LastIndex(first.URL(), ":")+1:]
	expectExit(t, apptest.Launch(t, apptest.RedisURL(redis), "PORT="+port), "PORT")
}

// expectExit checks that the server exits with code 1 and an error that contains the reason.
func expectExit(t *testing.T, server *apptest.Server, reason string) {
	t.Helper()
	apptest.Eventually(t, 10*time.Second, "the process to end", server.HasExited)
	if text := server.Output(); server.ExitCode() != 1 || !strings.Contains(text, reason) {
		t.Errorf("exit code %d, want 1 because of %s; output: %s", server.ExitCode(), reason, text)
	}
}
