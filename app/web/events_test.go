package web

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"burble/streams/redistest"
)

func TestLiveReadFormatFollowsAccept(t *testing.T) {
	t.Parallel()
	s := startOne(t)
	for accept, want := range map[string]string{
		"":                                       "text/event-stream",
		"*/*":                                    "text/event-stream",
		"text/event-stream":                      "text/event-stream",
		"application/x-ndjson":                   "application/x-ndjson",
		"text/plain":                             "text/plain; charset=utf-8",
		"text/plain;q=0.1, application/x-ndjson": "application/x-ndjson",
		"text/html,application/xhtml+xml":        "text/event-stream",
		"text/plain;charset=UTF-8":               "text/plain; charset=utf-8",
		"TEXT/PLAIN":                             "text/plain; charset=utf-8",
		"application/x-ndjson; charset=utf-8":    "application/x-ndjson",
		"text/plain;q=0, Application/X-NDJSON":   "application/x-ndjson",
		"application/json":                       "text/event-stream",
	} {
		stream := s.openStream("/r/lobby/events", "Accept: "+accept)
		if got := stream.Header.Get("Content-Type"); got != want {
			t.Errorf("Accept %q: %s, want %s", accept, got, want)
		}
		if stream.Header.Get("Cache-Control") != "no-store" || stream.Header.Get("X-Accel-Buffering") != "no" {
			t.Errorf("Accept %q: headers %v, want no-store and no buffering", accept, stream.Header)
		}
	}
}

// expectLines checks the next lines of a live read.
func (s *testStream) expectLines(want ...string) {
	s.t.Helper()
	for _, line := range want {
		if got := s.line(); got != line {
			s.t.Errorf("line %q, want %q", got, line)
		}
	}
}

func TestLiveReadFormats(t *testing.T) {
	t.Parallel()
	s := startOne(t)
	ada := s.signIn("Ada")
	stored := s.post(ada, "lobby", "two\nlines \"quoted\" \r\u0000\u007f \u2028 <&> 👍")
	entry := fmt.Sprintf(`{"id":%q,"n":1,"kind":"message","key":%q,"user":{"id":%q,"name":"Ada"},"text":"two\nlines \"quoted\" \u000d\u0000`+"\u007f \u2028 <&> 👍"+`"`, stored.ID, stored.Key, ada.ID)
	at := "0-0" + stored.Cursor[strings.Index(stored.Cursor, "@"):]
	followed := fmt.Sprintf(`{"type":"followed","room":"lobby","state":"fresh","at":%q,"last":%q,"n":1}`, at, stored.Cursor)

	s.openStream("/r/lobby/events").expectLines(
		"id: "+at, "event: followed", "data: "+followed, "",
		"id: "+stored.Cursor, "event: entry", "data: "+entry+"}", "",
	)
	s.openStream("/r/lobby/events", "Accept: application/x-ndjson").expectLines(
		followed, entry+`,"cursor":"`+stored.Cursor+`"}`,
	)
	plain := s.openStream("/r/lobby/events", "Accept: text/plain")
	if line := plain.line(); !strings.HasSuffix(line, " Ada: two") {
		t.Errorf("plain text: got %q, want a line that ends with %q", line, " Ada: two")
	}
	plain.expectLines("      lines \"quoted\" \ufffd\ufffd\ufffd \u2028 <&> 👍")
}

func TestLiveReadStartsWhereRequested(t *testing.T) {
	t.Parallel()
	here, there := startTwo(t, newMiniredis(t))
	ada := here.signIn("Ada")
	for i := range 60 {
		here.post(ada, "lobby", fmt.Sprint(i))
	}
	// A server that is behind returns the newest entries that it knows, and then the others.
	all := there.openStream("/r/lobby/events?after=0-0")
	all.event()
	for all.entry().Text != "59" {
	}
	for query, first := range map[string]string{"": "10", "?last=3": "57", "?last=500": "0", "?after=0-0": "0", "?after=0-0@0": "0"} {
		stream := there.openStream("/r/lobby/events" + query)
		stream.event()
		if got := stream.entry().Text; got != first {
			t.Errorf("%q: the first entry is %s, want %s", query, got, first)
		}
	}
	stream := there.openStream("/r/lobby/events?last=0")
	stream.event()
	here.post(ada, "lobby", "new")
	if got := stream.entry().Text; got != "new" {
		t.Errorf("last=0: the first entry is %q, want %q", got, "new")
	}
	const unknown = "Last-Event-ID: 1-1@ELSEWHERE"
	if event := there.openStream("/r/lobby/events", unknown).event(); !strings.Contains(event.Data, `"state":"reset"`) {
		t.Errorf("cursor of another history: got %+v, want a reset", event)
	}
	there.openStream("/r/lobby/events", unknown, "Accept: text/plain").expectLines("-- Messages were lost. The newest remaining messages follow. --")
}

func TestLiveReadOverHTTP10(t *testing.T) {
	t.Parallel()
	s := startOne(t)
	ada := s.signIn("Ada")
	conn := s.dialTCP()
	fmt.Fprintf(conn, "GET /r/lobby/events HTTP/1.0\r\nAccept: text/plain\r\n\r\n")
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil || response.StatusCode != 200 || len(response.TransferEncoding) > 0 || response.Header.Get("Transfer-Encoding") != "" {
		t.Fatalf("got %+v, %v; want status 200 without a Transfer-Encoding", response, err)
	}
	s.post(ada, "lobby", "hi")
	line, err := bufio.NewReader(response.Body).ReadString('\n')
	if err != nil || !strings.HasSuffix(line, " Ada: hi\n") {
		t.Errorf("read %q, %v; want a line that ends with %q", line, err, " Ada: hi")
	}
}

func TestLiveReadEndsWhenItsClientDisconnects(t *testing.T) {
	t.Parallel()
	s := startOne(t)
	conn := s.dialTCP()
	fmt.Fprintf(conn, "GET /r/lobby/events HTTP/1.1\r\nHost: %s\r\n\r\n", s.host)
	if _, err := io.ReadFull(conn, make([]byte, 20)); err != nil {
		t.Fatal(err)
	}
	if s.live.Count() != 1 {
		t.Errorf("%d live reads are open, want 1", s.live.Count())
	}
	conn.Close()
	eventually(t, "the live read has ended", func() bool { return s.live.Count() == 0 })
}

// The engine may queue a notice as soon as a live read is registered. The notice must not precede the
// response's header or the frame "hello".
func TestNoticesFollowTheHead(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	s := startOne(t)
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
				s.engine.SetStatus(true)
				s.engine.SetStatus(false)
			}
		}
	}()
	defer func() { close(stop); <-stopped }()
	for range 500 {
		conn := s.dialTCP()
		fmt.Fprintf(conn, "GET /r/lobby/events HTTP/1.1\r\nHost: %s\r\n\r\n", s.host)
		line, err := bufio.NewReader(conn).ReadString('\n')
		if conn.Close(); line != "HTTP/1.1 200 OK\r\n" {
			t.Fatalf("a live read begins with %q, %v; want status 200", line, err)
		}
		socket, _ := s.dial()
		if first := socket.next("hello").Data; !strings.HasPrefix(string(first), `{"type":"hello"`) {
			t.Fatalf("a socket begins with %s, want hello", first)
		}
		socket.Cut()
	}
}
