package web

import (
	"testing"
	"time"

	"burble/app/client"
	"burble/streams/conns"
	"burble/streams/redistest"
)

const (
	statusAway = `{"type":"status","redis":"away"}`
	statusBack = `{"type":"status","redis":"back"}`
)

func TestStatusReachesEveryConnection(t *testing.T) {
	t.Parallel()
	s := startOne(t)
	c, events := s.connect(anonymous), s.openStream("/r/lobby/events")
	plain := s.openStream("/r/lobby/events", "Accept: text/plain")
	events.event()
	s.engine.SetStatus(true)
	if status := awaitText[*client.Status](c); status != statusAway {
		t.Errorf("WebSocket: got %s, want %s", status, statusAway)
	}
	if event := events.event(); event != (client.Event{Type: "status", Data: statusAway}) {
		t.Errorf("SSE: got %+v, want %s", event, statusAway)
	}
	s.engine.SetStatus(false)
	if status := awaitText[*client.Status](c); status != statusBack {
		t.Errorf("WebSocket: got %s, want %s", status, statusBack)
	}
	for _, want := range []string{"-- Chat storage is unavailable. Missed messages will follow. --", "-- Chat storage is available again. --"} {
		if line := plain.line(); line != want {
			t.Errorf("plain text: %q, want %q", line, want)
		}
	}
}

func TestStatusReachesConnectionsOpenedDuringAnOutage(t *testing.T) {
	t.Parallel()
	upstream := newMiniredis(t).Addrs[0]
	proxy := redistest.StartProxy(t, upstream)
	s := startServer(t, &conns.Address{Addrs: []string{proxy.Addr}})
	proxy.Reroute("")
	eventually(t, "Redis is away", s.store.Away)
	c := s.connect(anonymous)
	following, _ := s.dialPath("/ws?room=lobby")
	if await[*client.Hello](following); len(following.waiting) > 0 {
		t.Errorf("received before hello: %+v, want nothing", following.waiting)
	}
	events := s.openStream("/r/lobby/events")
	if event := events.event(); event != (client.Event{Type: "status", Data: statusAway}) {
		t.Errorf("SSE: got %+v, want %s", event, statusAway)
	}
	for name, c := range map[string]*testSocket{"a socket": c, "a socket with a follow in the URL": following} {
		if status := awaitText[*client.Status](c); status != statusAway {
			t.Errorf("%s: got %s, want %s", name, status, statusAway)
		}
	}
	proxy.Reroute(upstream)
	await[*client.Followed](following)
	for events.event().Type != "followed" {
	}
}

func TestIdleConnectionsGetHeartbeats(t *testing.T) {
	t.Parallel()
	s := startOne(t, func(set *settings) { set.Heartbeat = time.Second })
	c := s.connect(anonymous)
	events := s.openStream("/r/lobby/events")
	lines := s.openStream("/r/lobby/events", "Accept: application/x-ndjson")
	plain := s.openStream("/r/lobby/events", "Accept: text/plain")
	events.event()
	lines.jsonLine()
	if message := c.next("a ping"); message.Op != client.OpPing {
		t.Errorf("WebSocket: %+v, want a ping", message)
	}
	if line := events.line(); line != ":" {
		t.Errorf("SSE: %q, want a comment", line)
	}
	if line := lines.line(); line != "" {
		t.Errorf("NDJSON: %q, want an empty line", line)
	}
	if line := plain.line(); line != "" {
		t.Errorf("plain text: %q, want an empty line", line)
	}
	if c.sync(); s.live.Count() != 4 {
		t.Errorf("%d live reads are open, want 4", s.live.Count())
	}
}
