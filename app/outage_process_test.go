//go:build unix

package main_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"burble/streams/redistest"

	"github.com/google/uuid"
)

func TestEveryoneGoesOnAfterRedisWasKilled(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, "--appendonly", "yes", "--appendfsync", "always")
	lasts := 10 * time.Second
	if testing.Short() {
		lasts = 5 * time.Second
	}
	outage(t, server, lasts, server.Kill, server.Restart)
}

func TestEveryoneGoesOnAfterRedisHung(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, "--appendonly", "yes", "--appendfsync", "always")
	outage(t, server, 12*time.Second,
		func() { syscall.Kill(server.PID(), syscall.SIGSTOP) },
		func() { syscall.Kill(server.PID(), syscall.SIGCONT) })
}

// outage takes Redis away for a while, under load on two servers, and gives it back.
func outage(t *testing.T, server *redistest.Server, lasts time.Duration, away, back func()) {
	servers := []*process{
		burble(t, server, "DURABILITY=disk"),
		burble(t, server, "DURABILITY=disk"),
	}
	talk := newTalk(t, servers...)
	var enough atomic.Bool
	for _, c := range talk.chatters {
		talk.spoken.Go(func() {
			for !enough.Load() && talk.ctx.Err() == nil {
				talk.speak(c, 1)
			}
		})
	}
	eventually(t, 20*time.Second, "the load", func() bool { return talk.count() > 500 })

	away()
	began := time.Now()
	for _, p := range servers {
		eventually(t, lasts, "readiness to fail", func() bool { status, _ := p.get("/readyz"); return status == http.StatusServiceUnavailable })
		_, body := p.get("/readyz")
		t.Logf("readiness after %v: %s", time.Since(began), body)
	}
	wantSorryPage(t, servers[0])
	for i, c := range talk.chatters {
		eventually(t, lasts, fmt.Sprintf("talker %d to be told that Redis is away", i), func() bool {
			statuses, _ := c.heard()
			return len(statuses) > 0 && statuses[len(statuses)-1] == "away"
		})
	}
	t.Logf("everybody was told after %v", time.Since(began))
	// Not to wait for anything: the outage takes its time.
	time.Sleep(time.Until(began.Add(lasts)))

	stored := talk.count()
	back()
	began = time.Now()
	for _, p := range servers {
		p.awaitReady()
	}
	t.Logf("ready %v after Redis was back", time.Since(began))
	eventually(t, 20*time.Second, "sends to go on", func() bool { return talk.count() > stored+500 })
	enough.Store(true)
	talk.spoken.Wait()
	talk.compare(server)
	for i, c := range talk.chatters {
		statuses, sockets := c.heard()
		if sockets != 1 || !slices.Equal(statuses, []string{"away", "back"}) {
			t.Errorf("talker %d needed %d sockets and was told %q", i, sockets, statuses)
		}
	}
}

// wantSorryPage checks that a browser is answered in time, by a page.
func wantSorryPage(t *testing.T, p *process) {
	t.Helper()
	var asking sync.WaitGroup
	defer asking.Wait()
	for path, accept := range map[string]string{"/r/talk": "text/html", "/": "text/html", "/r/talk/messages": "application/json"} {
		asking.Go(func() {
			began := time.Now()
			status, body := p.get(path, "Accept", accept)
			if took := time.Since(began); status != http.StatusServiceUnavailable || took > 6*time.Second {
				t.Errorf("GET %s without Redis: %d after %v", path, status, took)
			}
			if page := strings.Contains(body, "<!doctype html>") || strings.Contains(body, "<!DOCTYPE html>"); page != (accept == "text/html") {
				t.Errorf("GET %s without Redis, accepting %s: %s", path, accept, body)
			}
		})
	}
}

func TestFullRedisRefusesSendersAndServesReaders(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, "--maxmemory-policy", "noeviction")
	p := burble(t, server)
	token := p.token("Ada")
	writer, reader := chat(t.Context(), t, "lobby", token, p), chat(t.Context(), t, "lobby", "", p)
	if _, err := writer.send(t.Context(), "plenty of room"); err != nil {
		t.Fatal(err)
	}
	limitMemory(t, server, "1mb") // less than it uses by itself
	if _, err := writer.send(t.Context(), "full?"); err != (refusal{"full"}) {
		t.Errorf("on a socket: %v", err)
	}
	if status, body := p.post(token, "lobby", uuid.NewString(), "full?"); status != http.StatusInsufficientStorage || !strings.Contains(body, `"full"`) {
		t.Errorf("over HTTP: %d %s", status, body)
	}
	eventually(t, 10*time.Second, "readiness to fail", func() bool {
		status, body := p.get("/readyz")
		return status == http.StatusServiceUnavailable && strings.Contains(body, "full")
	})

	late := chat(t.Context(), t, "lobby", "", p)
	for what, c := range map[string]*chatter{"who was there": reader, "who comes late": late} {
		eventually(t, 10*time.Second, what+" to have everything", func() bool { return c.has() == 1 })
	}
	for _, path := range []string{"/r/lobby", "/r/lobby/messages", "/"} {
		if status, body := p.get(path); status != http.StatusOK {
			t.Errorf("GET %s: %d %s", path, status, body)
		}
	}

	limitMemory(t, server, "0")
	p.awaitReady()
	if _, err := writer.send(t.Context(), "room again"); err != nil {
		t.Errorf("after there is room again: %v", err)
	}
	eventually(t, 10*time.Second, "the reader to go on", func() bool { return reader.has() == 2 })
}

func limitMemory(t *testing.T, server *redistest.Server, limit string) {
	t.Helper()
	client := server.Client()
	defer client.Close()
	if err := client.ConfigSet(t.Context(), "maxmemory", limit).Err(); err != nil {
		t.Fatal(err)
	}
}
