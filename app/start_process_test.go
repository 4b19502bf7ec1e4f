//go:build unix

package main_test

import (
	"net/http"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"burble/streams/redistest"

	"github.com/google/uuid"
)

func TestServersWithoutASecretShareTheirSessions(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	one, other := launch(t, redisURL(server)), launch(t, redisURL(server)) // at once: one makes it
	one.awaitReady()
	other.awaitReady()
	token := one.token("Ada")
	if status, body := other.post(token, "lobby", uuid.NewString(), "hello"); status != http.StatusCreated {
		t.Errorf("the token of one server at the other: %d %s", status, body)
	}
	one.restart()
	if status, body := one.post(token, "lobby", uuid.NewString(), "hello"); status != http.StatusCreated {
		t.Errorf("the token of a server after its restart: %d %s", status, body)
	}
	c := chat(t.Context(), t, "lobby", token, other)
	eventually(t, 10*time.Second, "both messages", func() bool { return c.has() == 2 })
	if first, second := c.entries[0].User, c.entries[1].User; first != second || first.Name != "Ada" {
		t.Errorf("one token made two people: %+v and %+v", first, second)
	}
}

func TestServerWaitsForRedisAndSaysSo(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	server.Kill()
	p := launch(t, redisURL(server))
	eventually(t, 10*time.Second, "it to say that it waits", func() bool {
		return strings.Contains(p.output.String(), "waiting for redis")
	})
	if p.url() != "" {
		t.Error("it listens before Redis has answered")
	}
	server.Restart()
	p.awaitReady()
}

func TestServerThatWaitedForRedisWritesWithAllProcessors(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	server.Kill()
	p := launch(t, redisURL(server))
	eventually(t, 10*time.Second, "it to say that it waits", func() bool {
		return strings.Contains(p.output.String(), "waiting for redis")
	})
	time.Sleep(2 * time.Second) // one processor is enough while waiting, see tune.SwitchProcessors
	server.Restart()
	p.awaitReady()
	p.signal(syscall.SIGQUIT) // it writes down its goroutines
	eventually(t, 10*time.Second, "the process to end", p.hasEnded)
	if got, want := strings.Count(p.output.String(), "burble/app.(*pumps).run.func1("), runtime.GOMAXPROCS(0); got != want {
		t.Errorf("%d pumps, want one for each of %d processors", got, want)
	}
}

func TestServerEndsWithTheReasonWhenRedisRefusesIt(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	client := server.Client()
	defer client.Close()
	if err := client.ConfigSet(t.Context(), "requirepass", "open sesame").Err(); err != nil {
		t.Fatal(err)
	}
	for url, reason := range map[string]string{
		redisURL(server): "NOAUTH",
		strings.Replace(redisURL(server), "unix://", "unix://:wrong@", 1): "WRONGPASS",
	} {
		p := launch(t, url)
		eventually(t, 10*time.Second, "the process to end", p.hasEnded)
		if text := p.output.String(); p.exitCode() != 1 || !strings.Contains(text, reason) {
			t.Errorf("exit code %d, and it wrote %s", p.exitCode(), text)
		}
	}
}

func TestServerEndsWithTheReasonWhenItsPortIsTaken(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	first := burble(t, server)
	port := first.url()[strings.LastIndex(first.url(), ":")+1:]
	second := launch(t, redisURL(server), "PORT="+port)
	eventually(t, 10*time.Second, "the process to end", second.hasEnded)
	if text := second.output.String(); second.exitCode() != 1 || !strings.Contains(text, "PORT") {
		t.Errorf("exit code %d, and it wrote %s", second.exitCode(), text)
	}
}
