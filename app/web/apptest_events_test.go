package web

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
)

// testStream is a live read over HTTP.
type testStream struct {
	t      testing.TB
	status int
	header http.Header
	lines  *bufio.Reader
}

// sse is one server-sent event.
type sse struct{ id, event, data string }

// stream begins a live read. It ends with the test.
func (s *testServer) stream(path string, headers ...string) *testStream {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), "GET", "http://"+s.host+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	setHeaders(request.Header, headers)
	response, err := s.client.Do(request)
	if err != nil {
		s.t.Fatalf("%s: %v", path, err)
	}
	s.t.Cleanup(func() { response.Body.Close() })
	if response.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(response.Body)
		s.t.Fatalf("%s: %s %s", path, response.Status, body)
	}
	return &testStream{s.t, response.StatusCode, response.Header, bufio.NewReader(response.Body)}
}

// line is the next line.
func (s *testStream) line() string {
	s.t.Helper()
	line, err := s.lines.ReadString('\n')
	if err != nil {
		s.t.Fatalf("the stream ended: %q, %v", line, err)
	}
	return strings.TrimSuffix(line, "\n")
}

// event is the next server-sent event, comments passed over.
func (s *testStream) event() sse {
	s.t.Helper()
	var event sse
	for {
		line := s.line()
		name, value, _ := strings.Cut(line, ": ")
		switch name {
		case "id":
			event.id = value
		case "event":
			event.event = value
		case "data":
			event.data = value
		case "":
			if event != (sse{}) {
				return event
			}
		}
	}
}

// entry is the next event, which must be an entry under its cursor.
func (s *testStream) entry() gotEntry {
	s.t.Helper()
	event := s.event()
	if event.event != "entry" {
		s.t.Fatalf("want an entry, got %+v", event)
	}
	entry := decodeEntry(s.t, event.data)
	if entry.Cursor = event.id; !strings.HasPrefix(event.id, entry.ID+"@") {
		s.t.Fatalf("the id is not the entry's cursor: %+v", event)
	}
	return entry
}

// object is the next line that is not empty, an entry or a followed of NDJSON.
func (s *testStream) object() gotEntry {
	s.t.Helper()
	for {
		if line := s.line(); line != "" {
			return decodeEntry(s.t, line)
		}
	}
}

func decodeEntry(t testing.TB, data string) gotEntry {
	t.Helper()
	var entry gotEntry
	if err := json.Unmarshal([]byte(data), &entry); err != nil {
		t.Fatalf("%v in %s", err, data)
	}
	return entry
}

// several calls read so many times.
func several(count int, read func() gotEntry) []gotEntry {
	entries := make([]gotEntry, count)
	for i := range entries {
		entries[i] = read()
	}
	return entries
}
