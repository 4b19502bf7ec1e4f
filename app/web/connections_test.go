package web

import (
	"bufio"
	"burble/app/limit"
	"burble/app/peer"
	"burble/app/protocol"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// An address has so many connections at once, whether they have said anything or not.
func TestOpenConnectionsOfOneAddressAreBounded(t *testing.T) {
	s := startOne(t, func(config *settings) { config.RateConnections = 0.5 }) // 20 at once
	answers := func(conn net.Conn) bool {
		conn.SetDeadline(time.Now().Add(patience))
		fmt.Fprintf(conn, "GET /healthz HTTP/1.1\r\nHost: %s\r\n\r\n", s.host)
		_, err := http.ReadResponse(bufio.NewReader(conn), nil)
		return err == nil
	}
	var open []net.Conn
	for range 20 {
		conn, err := net.Dial("tcp", s.host)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		io.WriteString(conn, "GET / HTTP/1.1\r\nX-Slow: ") // and no more
		open = append(open, conn)
	}
	eventually(t, "all are counted", func() bool {
		return s.limits.open.Held("127.0.0.1") == 20
	})
	if one, err := net.Dial("tcp", s.host); err == nil && answers(one) {
		t.Error("one more is answered")
	}
	open[0].Close()
	eventually(t, "there is room for another", func() bool {
		conn, err := net.Dial("tcp", s.host)
		if err != nil {
			return false
		}
		defer conn.Close()
		return answers(conn)
	})
}

// Behind a proxy all connections are the proxy's: live reads are counted by whose they are.
func TestLiveReadsOfOneAddressAreBounded(t *testing.T) {
	s := startOne(t, func(config *settings) { config.RateConnections, config.TrustedProxy = 1, peer.ProxyFly })
	s.limits.connections = nil // how many at once, not how many a second
	first, other := "Fly-Client-IP: 203.0.113.1", "Fly-Client-IP: 203.0.113.2"
	for range 20 {
		s.openStream("/r/lobby/events", first)
		s.open(first)
	}
	s.get("/r/lobby/events", first).expectRefusal(t, 429, protocol.RateLimited, "")
	s.get("/r/lobby/search?q=x", first).expectRefusal(t, 429, protocol.RateLimited, "")
	c, _ := s.dial(first)
	if code := c.awaitClose(); code != 1008 {
		t.Errorf("one socket more: closed with %d", code)
	}
	s.openStream("/r/lobby/events", other)
	s.open(other).Cut()
	liveAs("text/plain")(s, other)
	s.request("HEAD", "/r/lobby/events", "", other)
	eventually(t, "what ended is not counted", func() bool {
		return s.limits.liveReads.Held("203.0.113.2") == 1
	})
}

// Who asks for much and reads nothing waits for the first of it before there is more.
func TestAnswersThatNobodyReadsAreBounded(t *testing.T) {
	s := startOne(t, func(config *settings) { config.TrustedProxy = peer.ProxyFly })
	s.limits.unread = limit.NewQuota(3 << 20)
	if s.fiber.Server().WriteTimeout != responseTimeout {
		t.Error("an answer that nobody reads waits for ever")
	}
	c := s.connect(s.signIn("Ada"))
	for range 70 {
		c.post("lobby", strings.Repeat("🗣", protocol.MaxText)) // 16 KB
	}
	ask := func(address string) (net.Conn, *bufio.Reader) {
		conn, err := net.Dial("tcp", s.host)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		conn.(*net.TCPConn).SetReadBuffer(64 << 10)
		conn.SetDeadline(time.Now().Add(patience))
		fmt.Fprintf(conn, "GET /r/lobby/messages?limit=70 HTTP/1.1\r\nHost: %s\r\nFly-Client-IP: %s\r\n\r\n", s.host, address)
		return conn, bufio.NewReaderSize(conn, 256)
	}
	held := s.limits.unread.Held
	var waiting []*bufio.Reader
	for i := range 2 {
		_, reader := ask("203.0.113.1")
		waiting = append(waiting, reader)
		eventually(t, "an answer waits", func() bool { return held("203.0.113.1") > (i+1)<<20 })
	}
	expect := func(address string, status int, of *bufio.Reader) {
		t.Helper()
		if of == nil {
			_, of = ask(address)
		}
		response, err := http.ReadResponse(of, nil)
		if err != nil || response.StatusCode != status {
			t.Fatalf("answered %+v, %v, want %d", response, err, status)
		}
		if body, err := io.ReadAll(response.Body); err != nil || int64(len(body)) != response.ContentLength {
			t.Errorf("%d bytes of %d came, %v", len(body), response.ContentLength, err)
		}
	}
	expect("203.0.113.1", 429, nil)
	expect("203.0.113.2", 200, nil)
	for _, reader := range waiting {
		expect("", 200, reader)
	}
	eventually(t, "what was read is not counted", func() bool { return held("203.0.113.1") == 0 && held("203.0.113.2") == 0 })
	expect("203.0.113.1", 200, nil)
}

// An answer may be larger than the bound. Nobody could ever read it if that refused it.
func TestLargestAnswerIsGivenToWhoHasReadTheOthers(t *testing.T) {
	s := startOne(t)
	s.limits.unread = limit.NewQuota(smallResponse)
	c := s.connect(s.signIn("Ada"))
	for range 5 {
		c.post("lobby", strings.Repeat("🗣", protocol.MaxText)) // 16 KB
	}
	if got := s.get("/r/lobby/messages", "Accept-Encoding: identity"); got.status != 200 || len(got.body) <= smallResponse {
		t.Errorf("answered %d, %d bytes", got.status, len(got.body))
	}
}
