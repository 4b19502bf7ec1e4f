package web

import (
	"context"
	"fmt"
	"io"
	"net"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"burble/app/client"

	"github.com/gobwas/ws"
)

func TestCloseFrameIsEchoed(t *testing.T) {
	t.Parallel()
	s := startOne(t)
	for _, code := range []int{1000, 1001, 1012, 4999} {
		c := s.connect(anonymous)
		c.WriteMessage(client.OpClose, ws.NewCloseFrameBody(ws.StatusCode(code), "bye"))
		if got := c.awaitClose(); got != code {
			t.Errorf("closed with %d, want %d", got, code)
		}
	}
	c := s.connect(anonymous)
	c.WriteMessage(client.OpClose, nil)
	if got := c.awaitClose(); got != 1000 {
		t.Errorf("without a code: closed with %d, want 1000", got)
	}
}

func TestClientsOfADrainedServerResumeOnAnother(t *testing.T) {
	t.Parallel()
	draining, other := startTwo(t, newMiniredis(t))
	ada := draining.signIn("Ada")
	c, events := draining.connect(ada), draining.openStream("/r/lobby/events")
	c.follow("lobby", "")
	events.event()
	c.post("lobby", "before")
	first := c.read("lobby", 1)[0]
	last := events.entry()
	if first.ID != last.ID {
		t.Errorf("the socket read %+v and the stream %+v, want the same entry", first, last)
	}
	var shutdown sync.WaitGroup
	shutdown.Go(draining.shutDown)
	if code := c.awaitClose(); code != 1012 {
		t.Errorf("closed with %d, want 1012", code)
	}
	if line, err := events.Line(); err == nil {
		t.Errorf("the stream continued with %q, want it to end", line)
	}
	shutdown.Wait()
	other.post(ada, "lobby", "after")
	resumed := other.connect(ada)
	if followed := resumed.follow("lobby", `,"after":"`+last.Cursor+`"`); followed.State != client.Resumed {
		t.Errorf("followed: %+v, want state %s", followed, client.Resumed)
	}
	if got := resumed.read("lobby", 1)[0]; got.Text != "after" {
		t.Errorf("read %+v, want the text %q", got, "after")
	}
}

// An EventSource never reconnects after a status other than 200, and a proxy turns a connection that is
// closed without a response into status 502.
func TestDrainingServerEndsLiveReadsAtOnce(t *testing.T) {
	t.Parallel()
	s := startOne(t)
	s.live.Drain(t.Context())
	retry := regexp.MustCompile(`^: .+\nretry: [12]\d{3}\n\n$`)
	for accept, body := range map[string]*regexp.Regexp{
		"text/event-stream":    retry,
		"*/*":                  retry,
		"application/x-ndjson": regexp.MustCompile(`^$`),
		"text/plain":           regexp.MustCompile(`^$`),
	} {
		got := s.get("/r/lobby/events", "Accept: "+accept)
		if got.status != 200 || !body.MatchString(got.body) {
			t.Errorf("Accept %s: %d %q, want 200 and %v", accept, got.status, got.body, body)
		}
	}
	search := s.get("/r/lobby/search?q=x")
	if search.status != 200 || !strings.HasPrefix(search.body, `{"type":"error","code":"unavailable",`) {
		t.Errorf("search: status %d, body %s; want 200 and the error unavailable", search.status, search.body)
	}
	if held := s.limits.OpenLiveReads.Held("127.0.0.1"); held != 0 {
		t.Errorf("%d refused live reads are still counted, want 0", held)
	}
}

func TestServeReturnsIfStoppedWhileStarting(t *testing.T) {
	t.Parallel()
	s := startOne(t)
	for range 20 {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		served := make(chan error, 1)
		go func() { served <- New(s.options).Serve(ctx, listener) }()
		select {
		case err := <-served:
			if err != nil {
				t.Errorf("serve: %v", err)
			}
		case <-time.After(patience):
			t.Fatal("Serve did not return")
		}
	}
}

func TestPanicClosesOnlyOneSocket(t *testing.T) {
	t.Parallel()
	s := startOne(t)
	broken := s.startWithoutStore()
	healthy, panicking := broken.connect(anonymous), broken.connect(anonymous)
	panicking.send(`{"type":"follow","room":"lobby"}`)
	if code := panicking.awaitClose(); code != 1011 {
		t.Errorf("closed with %d, want 1011", code)
	}
	healthy.sync()
	if got := broken.get("/healthz"); got.status != 200 {
		t.Errorf("healthz: status %d, want 200", got.status)
	}
	if !strings.Contains(s.logs.String(), "msg=panic") {
		t.Error("the panic is not in the log")
	}
}

func TestPanicDuringAnUpgradeClosesOnlyThatConnection(t *testing.T) {
	t.Parallel()
	s := startOne(t)
	s.limits.OpenLiveReads = nil
	conn, err := net.Dial("tcp", s.host)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(patience))
	fmt.Fprintf(conn, "GET /ws HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", s.host)
	if got, err := io.ReadAll(conn); len(got) > 0 || err != nil {
		t.Errorf("got %q, %v; want the connection to end without a response", got, err)
	}
	if got := s.get("/healthz"); got.status != 200 {
		t.Errorf("healthz: status %d, want 200", got.status)
	}
	if !strings.Contains(s.logs.String(), "msg=panic") {
		t.Error("the panic is not in the log")
	}
}
