package web

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"burble/app/limit"
	"burble/app/peer"
	"burble/app/protocol"
)

// A client that requests large responses without reading them must not fill the server's memory.
func TestUnreadResponsesOfOneAddressAreLimited(t *testing.T) {
	t.Parallel()
	s := startOne(t, func(set *settings) { set.TrustedProxy = peer.ProxyFly })
	s.limits.UnreadBytes = limit.NewQuota(3 << 20)
	if s.fiber.Server().WriteTimeout != responseTimeout {
		t.Error("an unread response has no timeout")
	}
	s.postLongMessages(70)
	request := func(address string) *bufio.Reader {
		conn := s.dialTCP()
		conn.(*net.TCPConn).SetReadBuffer(64 << 10)
		fmt.Fprintf(conn, "GET /r/lobby/messages?limit=70 HTTP/1.1\r\nHost: %s\r\nFly-Client-IP: %s\r\n\r\n", s.host, address)
		return bufio.NewReaderSize(conn, 256)
	}
	expect := func(unread *bufio.Reader, status int) {
		t.Helper()
		response, err := http.ReadResponse(unread, nil)
		if err != nil || response.StatusCode != status {
			t.Fatalf("got %+v, %v, want %d", response, err, status)
		}
		if body, err := io.ReadAll(response.Body); err != nil || int64(len(body)) != response.ContentLength {
			t.Errorf("read %d bytes, %v; want %d", len(body), err, response.ContentLength)
		}
	}
	const first, other = "203.0.113.1", "203.0.113.2"
	held := s.limits.UnreadBytes.Held
	var unread []*bufio.Reader
	for i := range 2 {
		unread = append(unread, request(first))
		eventually(t, "the response is counted", func() bool { return held(first) > (i+1)<<20 })
	}
	expect(request(first), 429)
	expect(request(other), 200)
	for _, response := range unread {
		expect(response, 200)
	}
	eventually(t, "responses are no longer counted after they are read", func() bool { return held(first) == 0 && held(other) == 0 })
	expect(request(first), 200)
}

// A single response may exceed the limit. Otherwise no client could ever read it.
func TestOneResponseMayExceedTheLimit(t *testing.T) {
	t.Parallel()
	s := startOne(t)
	s.limits.UnreadBytes = limit.NewQuota(smallResponse)
	s.postLongMessages(5)
	if got := s.get("/r/lobby/messages", "Accept-Encoding: identity"); got.status != 200 || len(got.body) <= smallResponse {
		t.Errorf("status %d, %d bytes; want 200 and more than %d", got.status, len(got.body), smallResponse)
	}
}

// postLongMessages posts messages of 16 KB to the lobby.
func (s *testServer) postLongMessages(count int) {
	s.t.Helper()
	c := s.connect(s.signIn("Ada"))
	for range count {
		c.post("lobby", strings.Repeat("🗣", protocol.MaxText))
	}
}
