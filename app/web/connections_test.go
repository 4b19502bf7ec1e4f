package web

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"burble/app/limit"
	"burble/app/peer"
	"burble/app/protocol"
)

// dialTCP opens a connection to the server, with a deadline. It is closed when the test ends.
func (s *testServer) dialTCP() net.Conn {
	s.t.Helper()
	conn, err := net.Dial("tcp", s.host)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(patience))
	return conn
}

func TestOpenConnectionsOfOneAddressAreLimited(t *testing.T) {
	t.Parallel()
	s := startOne(t, func(set *settings) { set.RateConnections = 0.5 }) // 20 at once
	isServed := func() bool {
		conn, err := net.Dial("tcp", s.host)
		if err != nil {
			return false // the server has already reset it
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(patience))
		fmt.Fprintf(conn, "GET /healthz HTTP/1.1\r\nHost: %s\r\n\r\n", s.host)
		_, err = http.ReadResponse(bufio.NewReader(conn), nil)
		return err == nil
	}
	var open []net.Conn
	for range 20 {
		conn := s.dialTCP()
		io.WriteString(conn, "GET / HTTP/1.1\r\nX-Slow: ") // an incomplete request
		open = append(open, conn)
	}
	eventually(t, "all connections are counted", func() bool { return s.limits.OpenConnections.Held("127.0.0.1") == 20 })
	if isServed() {
		t.Error("the server serves a connection over the limit")
	}
	open[0].Close()
	eventually(t, "another connection is served", isServed)
}

// Behind a proxy, all connections come from the proxy, so the server counts live reads by client
// address.
func TestLiveReadsOfOneAddressAreLimited(t *testing.T) {
	t.Parallel()
	s := startOne(t, func(set *settings) { set.RateConnections, set.TrustedProxy = 1, peer.ProxyFly })
	s.limits.NewLiveReads = nil // tests only the limit of 40 open at once
	first, other := "Fly-Client-IP: 203.0.113.1", "Fly-Client-IP: 203.0.113.2"
	for range 20 {
		s.openStream("/r/lobby/events", first)
		s.open(first)
	}
	s.get("/r/lobby/events", first).expectRefusal(t, 429, protocol.RateLimited, "")
	s.expectRetry("/r/lobby/events", first)
	s.get("/r/lobby/search?q=x", first).expectRefusal(t, 429, protocol.RateLimited, "")
	c, _ := s.dial(first)
	if code := c.awaitClose(); code != 1008 {
		t.Errorf("a socket above the limit: closed with %d, want 1008", code)
	}
	s.openStream("/r/lobby/events", other)
	s.open(other).Cut()
	s.openStream("/r/lobby/events", "Accept: text/plain", other).Close()
	s.request("HEAD", "/r/lobby/events", "", other)
	eventually(t, "ended live reads are no longer counted", func() bool { return s.limits.OpenLiveReads.Held("203.0.113.2") == 1 })
}

// expectRetry checks that an EventSource is refused with a response after which it reconnects.
func (s *testServer) expectRetry(path string, headers ...string) {
	s.t.Helper()
	got := s.get(path, append(headers, "Accept: text/event-stream")...)
	if got.status != 200 || got.header.Get("Content-Type") != "text/event-stream" || !strings.Contains(got.body, "\nretry: ") {
		s.t.Errorf("got status %d, headers %v, body %q; want 200 and an event stream with a retry", got.status, got.header, got.body)
	}
}

func TestRateLimitedEventSourceReconnects(t *testing.T) {
	t.Parallel()
	s := startOne(t)
	s.limits.NewLiveReads = limit.NewRate(0.001, 2)
	s.openStream("/r/lobby/events", "Accept: text/event-stream")
	s.get("/r/UPPER/events", "Accept: text/event-stream").expectRefusal(t, 400, protocol.BadRoom, "room") // permanent
	s.expectRetry("/r/lobby/events")
	s.get("/r/lobby/events", "Accept: application/x-ndjson").expectRefusal(t, 429, protocol.RateLimited, "")
}
