package web

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"burble/app/protocol"
)

func TestInvalidHistoryRequests(t *testing.T) {
	t.Parallel()
	s := startOne(t)
	s.post(s.signIn("Ada"), "lobby", "hi")
	for _, test := range []struct{ query, field string }{
		{"?limit=0", "limit"}, {"?limit=501", "limit"}, {"?limit=-1", "limit"}, {"?limit=ten", "limit"},
		{"?limit=1.5", "limit"}, {"?limit=99999999999999999999", "limit"}, {"?limit=0x10", "limit"},
		{"?before=yesterday", "before"}, {"?before=0-0", "before"}, {"?before=1-1@", "before"}, {"?before=1", "before"},
		{"?after=x", "after"}, {"?after=1-1-1", "after"}, {"?after=%ff", "after"}, {"?around=-1-0", "around"},
		{"?at=noon", "at"}, {"?at=2026-13-01", "at"}, {"?at=1969-12-31", "at"}, {"?at=99999-01-01", "at"},
		{"?before=1-1&after=1-1", "before"}, {"?at=2026-03-01&around=1-1", "at"},
		{"?limit=", "limit"}, {"?before=", "before"}, {"?after=", "after"}, {"?around=", "around"}, {"?at=", "at"}, {"?html=", "html"},
		{"?html=yes", "html"}, {"?last=5", "last"}, {"?Limit=5", "Limit"},
		{"?" + strings.Repeat("x", 100) + "=1", strings.Repeat("x", protocol.MaxQuoted) + "…"},
	} {
		got := s.get("/r/lobby/messages" + test.query)
		got.expectRefusal(t, 400, protocol.BadField, test.field)
	}
	s.get("/rooms?limit=5").expectRefusal(t, 400, protocol.BadField, "limit")
	for _, room := range invalidRooms {
		s.get("/r/"+room+"/messages").expectRefusal(t, 400, protocol.BadRoom, "room")
	}
	s.get("/r/lobby/messages", "Origin: https://evil.example").expectRefusal(t, 403, protocol.NotAllowed, "origin")
}

func TestInvalidLiveReadRequests(t *testing.T) {
	t.Parallel()
	s := startOne(t)
	for _, test := range []struct{ query, header, field string }{
		{"?last=501", "", "last"}, {"?last=-1", "", "last"}, {"?last=all", "", "last"},
		{"?after=x", "", "after"}, {"?after=1-1@", "", "after"}, {"?after=%ff", "", "after"}, {"?after=$", "", "after"},
		{"?last=", "", "last"}, {"?after=", "", "after"}, {"?after=0-0&last=5", "", "last"}, {"?after=x", "Last-Event-ID: 0-0", "after"},
		{"?limit=5", "", "limit"}, {"?html=true", "", "html"},
		{"", "Last-Event-ID: yesterday", "Last-Event-ID"}, {"?after=0-0", "Last-Event-ID: 1-1@\"", "Last-Event-ID"},
	} {
		var headers []string
		if test.header != "" {
			headers = []string{test.header}
		}
		for _, accept := range []string{"text/event-stream", "application/x-ndjson", "text/plain"} {
			got := s.get("/r/lobby/events"+test.query, append(headers, "Accept: "+accept)...)
			got.expectRefusal(t, 400, protocol.BadField, test.field)
		}
	}
	for _, room := range invalidRooms {
		s.get("/r/"+room+"/events").expectRefusal(t, 400, protocol.BadRoom, "room")
	}
	s.get("/r/lobby/events", "Origin: https://evil.example").expectRefusal(t, 403, protocol.NotAllowed, "origin")
	s.get("/r/lobby/events", "Origin: null").expectRefusal(t, 403, protocol.NotAllowed, "origin")
	if reads := s.live.Count(); reads != 0 {
		t.Errorf("%d live reads were started, want 0", reads)
	}
}

func TestInvalidPageURLs(t *testing.T) {
	t.Parallel()
	s := startOne(t)
	id := s.post(s.signIn("Ada"), "lobby", "hi").ID
	tests := []struct {
		path   string
		status int
	}{
		{"/r/lobby?before=x", 400}, {"/r/lobby?at=noon", 400}, {"/r/lobby?limit=0", 400},
		{"/r/lobby?before=1-1&after=1-1", 400}, {"/r/lobby/first", 404}, {"/r/lobby/0-0", 404},
		{"/r/lobby/" + id + "@x", 404}, {"/r/lobby/" + id + "/more", 404}, {"/r/", 404}, {"/r", 404}, {"/nothing", 404},
		{"/static/nothing", 404}, {"/r/lobby/../../etc/passwd", 404}, {"/%2e%2e/", 404},
	}
	for _, room := range invalidRooms {
		if slices.Contains(respelledRooms, room) {
			continue
		}
		tests = append(tests, struct {
			path   string
			status int
		}{"/r/" + room, 400})
	}
	for _, test := range tests {
		page := s.get(test.path, "Accept: text/html,*/*;q=0.8")
		if page.status != test.status || !strings.HasPrefix(page.header.Get("Content-Type"), "text/html") || !strings.Contains(page.body, "All rooms") {
			t.Errorf("%s for a browser: status %d, type %s; want %d and a page", test.path, page.status, page.header.Get("Content-Type"), test.status)
		}
		object := s.get(test.path)
		var refused errorBody
		if object.decode(t, &refused); object.status != test.status || refused.Error.Code == "" || refused.Error.Message == "" {
			t.Errorf("%s for a program: status %d, body %s; want %d, a code and a message", test.path, object.status, object.body, test.status)
		}
	}
	if page := s.get("/open?room=%F0%9F%8E%89", "Accept: text/html"); page.status != 400 || !strings.Contains(page.body, "A room name must have") {
		t.Errorf("/open: status %d, want 400 and the reason: %s", page.status, page.body)
	}
}

func TestOversizedHeadersAndOtherMethods(t *testing.T) {
	t.Parallel()
	s := startOne(t)
	if got := s.get("/", tooLongHeader); got.status != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("header of 20 KB: status %d, want 431", got.status)
	}
	for _, method := range []string{"PUT", "DELETE", "PATCH", "OPTIONS"} {
		got := s.request(method, "/r/lobby/messages", "")
		got.expectRefusal(t, 405, protocol.NotFound, "")
		if allow := got.header.Get("Allow"); allow != "GET, HEAD, POST" {
			t.Errorf("%s: Allow = %q, want GET, HEAD, POST", method, allow)
		}
		s.request(method, "/nothing", "").expectRefusal(t, 404, protocol.NotFound, "")
	}
	if got := s.postJSON("/open", "{}"); got.status != 405 || got.header.Get("Allow") != "GET, HEAD" {
		t.Errorf("POST /open: status %d, Allow %q; want 405 and GET, HEAD", got.status, got.header.Get("Allow"))
	}
	response := s.request("HEAD", "/r/lobby/events", "")
	if response.status != 200 || response.header.Get("Content-Type") != "text/event-stream" || s.live.Count() != 0 {
		t.Errorf("HEAD of a live read: status %d, headers %v, %d live reads; want 200, an event stream, and none", response.status, response.header, s.live.Count())
	}
	s.request("HEAD", "/r/lobby/search?q=x", "")
	if again := s.get("/r/lobby/search?q=x"); again.status != 200 {
		t.Errorf("a search after a HEAD request for a search: status %d, want 200", again.status)
	}
}
