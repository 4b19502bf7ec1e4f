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
)

func TestLiveReadIsInTheFormThatIsAccepted(t *testing.T) {
	s := startOne(t)
	for accept, kind := range map[string]string{
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
		if got := stream.Header.Get("Content-Type"); got != kind {
			t.Errorf("Accept %q: %s, want %s", accept, got, kind)
		}
		if stream.Header.Get("Cache-Control") != "no-store" || stream.Header.Get("X-Accel-Buffering") != "no" {
			t.Errorf("Accept %q: %v", accept, stream.Header)
		}
	}
}

func TestLiveReadInExactBytes(t *testing.T) {
	s := startOne(t)
	ada := s.signIn("Ada")
	stored := s.post(ada, "lobby", "two\nlines \"quoted\" \r\u0000\u007f \u2028 <&> 👍")
	entry := fmt.Sprintf(`{"id":%q,"n":1,"kind":"message","key":%q,"user":{"id":%q,"name":"Ada"},"text":"two\nlines \"quoted\" \u000d\u0000`+"\u007f \u2028 <&> 👍"+`"`, stored.ID, stored.Key, ada.User.ID)
	at := "0-0" + stored.Cursor[strings.Index(stored.Cursor, "@"):]
	followed := fmt.Sprintf(`{"type":"followed","room":"lobby","state":"fresh","at":%q,"last":%q,"n":1}`, at, stored.Cursor)

	events := s.openStream("/r/lobby/events")
	for _, want := range []string{"id: " + at, "event: followed", "data: " + followed, "", "id: " + stored.Cursor, "event: entry", "data: " + entry + "}", ""} {
		if line := events.line(); line != want {
			t.Errorf("SSE: %q, want %q", line, want)
		}
	}
	lines := s.openStream("/r/lobby/events", "Accept: application/x-ndjson")
	for _, want := range []string{followed, entry + `,"cursor":"` + stored.Cursor + `"}`} {
		if line := lines.line(); line != want {
			t.Errorf("NDJSON: %s, want %s", line, want)
		}
	}
	people := s.openStream("/r/lobby/events", "Accept: text/plain")
	for _, want := range []string{" Ada: two", "      lines \"quoted\" \ufffd\ufffd\ufffd \u2028 <&> 👍"} {
		if line := people.line(); !strings.HasSuffix(line, want) {
			t.Errorf("text: %q, want %q", line, want)
		}
	}
}

func TestLiveReadBeginsWhereItIsAsked(t *testing.T) {
	here, there := startTwo(t, newMiniredis(t))
	ada := here.signIn("Ada")
	for i := range 60 {
		here.post(ada, "lobby", fmt.Sprint(i))
	}
	for query, first := range map[string]string{"": "10", "?last=3": "57", "?last=500": "0", "?after=0-0": "0", "?after=0-0@0": "0"} {
		stream := there.openStream("/r/lobby/events" + query)
		stream.event()
		if got := stream.entry().Text; got != first {
			t.Errorf("%q begins with %s, want %s", query, got, first)
		}
	}
	stream := there.openStream("/r/lobby/events?last=0")
	stream.event()
	here.post(ada, "lobby", "new")
	if got := stream.entry().Text; got != "new" {
		t.Errorf("last=0 begins with %s", got)
	}
	lost := there.openStream("/r/lobby/events", "Last-Event-ID: 1-1@ELSEWHERE")
	if event := lost.event(); !strings.Contains(event.Data, `"state":"reset"`) {
		t.Errorf("a place of another history: %+v", event)
	}
	people := there.openStream("/r/lobby/events", "Last-Event-ID: 1-1@ELSEWHERE", "Accept: text/plain")
	if line := people.line(); line != "-- Messages were lost. The newest remaining messages follow. --" {
		t.Errorf("a place of another history, as text: %q", line)
	}
}

func TestLiveReadSpeaksHTTPBelow11(t *testing.T) {
	s := startOne(t)
	ada := s.signIn("Ada")
	conn, err := net.Dial("tcp", s.host)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(patience))
	fmt.Fprintf(conn, "GET /r/lobby/events HTTP/1.0\r\nAccept: text/plain\r\n\r\n")
	reading := bufio.NewReader(conn)
	response, err := http.ReadResponse(reading, nil)
	if err != nil || response.StatusCode != 200 || len(response.TransferEncoding) > 0 || response.Header.Get("Transfer-Encoding") != "" {
		t.Fatalf("answered %+v, %v", response, err)
	}
	s.post(ada, "lobby", "in plain")
	line, err := bufio.NewReader(response.Body).ReadString('\n')
	if err != nil || !strings.HasSuffix(line, " Ada: in plain\n") {
		t.Errorf("read %q, %v", line, err)
	}
}

func TestLiveReadIsGivenBackWhenTheClientGoes(t *testing.T) {
	s := startOne(t)
	conn, err := net.Dial("tcp", s.host)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(conn, "GET /r/lobby/events HTTP/1.1\r\nHost: %s\r\n\r\n", s.host)
	if _, err := io.ReadFull(conn, make([]byte, 20)); err != nil {
		t.Fatal(err)
	}
	if s.live.Count() != 1 {
		t.Errorf("%d live reads", s.live.Count())
	}
	conn.Close()
	eventually(t, "the live read has ended", func() bool { return s.live.Count() == 0 })
}

// What is told to everybody reaches a live read as soon as that is counted in.
func TestNothingIsToldBeforeTheBeginning(t *testing.T) {
	s := startOne(t)
	stop, told := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(told)
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
	defer func() { close(stop); <-told }()
	for range 500 {
		conn, err := net.Dial("tcp", s.host)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(conn, "GET /r/lobby/events HTTP/1.1\r\nHost: %s\r\n\r\n", s.host)
		line, err := bufio.NewReader(conn).ReadString('\n')
		if conn.Close(); line != "HTTP/1.1 200 OK\r\n" {
			t.Fatalf("a live read begins with %q, %v", line, err)
		}
		socket, _ := s.dial()
		if first := socket.next("hello").Data; !strings.HasPrefix(string(first), `{"type":"hello"`) {
			t.Fatalf("a socket begins with %s", first)
		}
		socket.Cut()
	}
}
