package web

import (
	"burble/app/client"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"burble/streams/redistest"
)

// A story is told through two servers on one Redis, and everybody who listens, in
// whatever way and at whichever server, is told the same.
type story struct {
	there    *testServer
	ada, bob testUser
	wrote    []string // entry IDs, in order
}

// begin tells all but the end.
func begin(here, there *testServer) *story {
	s := &story{there: there, ada: here.signIn("Ada"), bob: there.signIn("Bob")}
	ada, bob := here.connect(s.ada), there.connect(s.bob)
	note := func(id string) string {
		s.wrote = append(s.wrote, id)
		return id
	}
	first := note(ada.post("lobby", "hello *world*\nsecond line"))
	reply := here.postJSON("/r/lobby/messages", fmt.Sprintf(`{"text":"hi Ada","reply_to":%q}`, first), s.bob.bearer())
	var second posted
	reply.decode(here.t, &second)
	note(second.ID)
	third := there.request("POST", "/r/lobby/messages", "plain <b>text</b>", "Content-Type: text/plain", s.ada.bearer())
	var last posted
	third.decode(here.t, &last)
	note(last.ID)
	note(bob.appendf(`{"type":"react","room":"lobby","key":"%s","of":"%s","emoji":"👍","on":true}`, client.NewKey(), first))
	note(ada.appendf(`{"type":"edit","room":"lobby","key":"%s","of":"%s","text":"hello **all**"}`, client.NewKey(), first))
	return s
}

// end deletes the second message. Its text is then really gone, so whoever is to
// hear it must have done so.
func (s *story) end() {
	bob := s.there.connect(s.bob)
	s.wrote = append(s.wrote, bob.appendf(`{"type":"delete","room":"lobby","key":"%s","of":"%s"}`, client.NewKey(), s.wrote[1]))
}

// left is what the room's stream still holds.
func (s *story) left() []string { return slices.Delete(slices.Clone(s.wrote), 1, 2) }

// expect checks what a live reader was told.
func (s *story) expect(t *testing.T, how string, entries []client.Entry) {
	t.Helper()
	if !slices.Equal(ids(entries), s.wrote) {
		t.Fatalf("%s: got %v, want %v", how, ids(entries), s.wrote)
	}
	var kinds []string
	for i, entry := range entries {
		kinds = append(kinds, entry.Kind)
		if entry.N != int64(i+1) {
			t.Errorf("%s: entry %d is number %d", how, i+1, entry.N)
		}
	}
	if want := []string{"message", "message", "message", "react", "edit", "delete"}; !slices.Equal(kinds, want) {
		t.Fatalf("%s: kinds %v", how, kinds)
	}
	first, reply, plain, reaction, edit, deletion := entries[0], entries[1], entries[2], entries[3], entries[4], entries[5]
	switch {
	case first.Text != "hello *world*\nsecond line", plain.Text != "plain <b>text</b>", edit.Text != "hello **all**":
		t.Errorf("%s: texts %q", how, texts(entries))
	case reply.ReplyTo != first.ID, reaction.Of != first.ID, edit.Of != first.ID, deletion.Of != reply.ID:
		t.Errorf("%s: wrong targets in %+v", how, entries)
	case reaction.Emoji != "👍" || !reaction.On:
		t.Errorf("%s: reaction %+v", how, reaction)
	case first.User.Name != "Ada" || first.User.ID != s.ada.User.ID || deletion.User.ID != s.bob.User.ID:
		t.Errorf("%s: users of %+v", how, entries)
	}
}

// listener is a live read that tells the next entries when asked.
type listener struct {
	how   string
	next  func(count int) []client.Entry
	heard []client.Entry
}

// listeners listen at a server in every way there is.
func listeners(s *testServer, name string) []*listener {
	socket, html := s.connect(anonymous), s.connect(anonymous)
	socket.follow("lobby", "")
	html.follow("lobby", `,"html":true,"last":5`)
	events := s.openStream("/r/lobby/events", "Accept: text/event-stream")
	events.event()
	lines := s.openStream("/r/lobby/events", "Accept: application/x-ndjson")
	lines.jsonLine()
	return []*listener{
		{how: name + ", WebSocket", next: socket.readNext("lobby")},
		{how: name + ", WebSocket with HTML", next: html.readNext("lobby")},
		{how: name + ", SSE", next: func(count int) []client.Entry { return readN(count, events.entry) }},
		{how: name + ", NDJSON", next: func(count int) []client.Entry { return readN(count, lines.jsonLine) }},
	}
}

func TestTwoServersTellEveryReaderTheSame(t *testing.T) {
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		here, there := startTwo(t, backend.Redis)
		live := append(listeners(here, "here"), listeners(there, "there")...)
		people := there.openStream("/r/lobby/events", "Accept: text/plain")
		told := begin(here, there)
		for _, listener := range live {
			listener.heard = listener.next(5)
		}
		expectLines(t, people, 5)
		told.end()
		expectLines(t, people, 6)
		for _, listener := range live {
			told.expect(t, listener.how, append(listener.heard, listener.next(1)...))
		}
		for _, server := range []*testServer{here, there} {
			// Who comes late reads what is left, from either end.
			late := server.connect(anonymous)
			for _, from := range []string{`,"after":"0-0"`, `,"last":500`} {
				late.follow("lobby", from)
				if got := ids(late.readNext("lobby")(5)); !slices.Equal(got, told.left()) {
					t.Errorf("late, %s: got %v, want %v", from, got, told.left())
				}
			}
			expectFolded(t, told, server.history("lobby", ""))
			expectPage(t, told, server.get("/r/lobby", "Accept: text/html"))
		}
	})
}

func TestEntriesForBrowsersCarryTheirTextAsHTML(t *testing.T) {
	here, there := startTwo(t, newMiniredis(t))
	reader := there.connect(anonymous)
	reader.follow("lobby", `,"html":true`)
	told := begin(here, there)
	reader.read("lobby", 5)
	told.end()
	entries := reader.read("lobby", 6)
	want := map[int]string{
		0: "<p>hello <em>world</em><br>\nsecond line</p>",
		1: "<p>hi Ada</p>",
		2: "<p>plain &lt;b&gt;text&lt;/b&gt;</p>",
		4: "<p>hello <strong>all</strong></p>",
	}
	for i, entry := range entries {
		got := "none"
		if entry.HTML != "" {
			got = entry.HTML
		}
		expected, any := want[i]
		if !any {
			expected = "none"
		}
		if got != expected {
			t.Errorf("%s %d: html %q, want %q", entry.Kind, i+1, got, expected)
		}
	}
}

// expectFolded checks the page of history: the messages as they are now.
func expectFolded(t *testing.T, told *story, page client.History) {
	t.Helper()
	if !slices.Equal(ids(page.Entries), told.wrote[:3]) || page.Room != "lobby" || page.Older != nil || page.Newer != nil {
		t.Fatalf("page: %+v", page)
	}
	if !strings.HasPrefix(page.AsOf, told.wrote[5]+"@") {
		t.Errorf("as of %s, want the last entry, %s", page.AsOf, told.wrote[5])
	}
	first, reply, plain := page.Entries[0], page.Entries[1], page.Entries[2]
	if first.Text != "hello **all**" || first.Edited != told.wrote[4] || !slices.Equal(first.Reactions["👍"], []string{told.bob.User.ID}) {
		t.Errorf("edited: %+v", first)
	}
	if !reply.Deleted || reply.Text != "" || reply.N != 2 || reply.ReplyTo != first.ID || reply.User.Name != "Bob" {
		t.Errorf("deleted: %+v", reply)
	}
	if plain.Text != "plain <b>text</b>" || plain.Edited != "" || plain.Reactions != nil || plain.Deleted {
		t.Errorf("untouched: %+v", plain)
	}
}

// expectPage checks the page for people.
func expectPage(t *testing.T, told *story, page response) {
	t.Helper()
	var shown []string
	for _, match := range messageID.FindAllStringSubmatch(page.body, -1) {
		shown = append(shown, match[1])
	}
	if page.status != http.StatusOK || !slices.Equal(shown, told.wrote[:3]) {
		t.Fatalf("page: %d, messages %v, want %v", page.status, shown, told.wrote[:3])
	}
	for _, part := range []string{"<p>hello <strong>all</strong></p>", "This message was deleted.", "plain &lt;b&gt;text&lt;/b&gt;", "👍 1", told.wrote[5] + "@"} {
		if !strings.Contains(page.body, part) {
			t.Errorf("the page lacks %q", part)
		}
	}
	for _, gone := range []string{"hi Ada", "<em>world</em>"} {
		if strings.Contains(page.body, gone) {
			t.Errorf("the page still has %q", gone)
		}
	}
}

// expectLines checks what somebody sees in a terminal.
func expectLines(t *testing.T, people *testStream, upto int) {
	t.Helper()
	lines := []string{
		"^[0-2][0-9]:[0-5][0-9] Ada: hello \\*world\\*$", "^      second line$",
		"^[0-9:]+ Bob: hi Ada$", "^[0-9:]+ Ada: plain <b>text</b>$",
		"^[0-9:]+ Ada edited a message: hello \\*\\*all\\*\\*$", "^[0-9:]+ Bob deleted a message$",
	}
	if upto == 5 {
		lines = lines[:5]
	} else {
		lines = lines[5:]
	}
	for _, want := range lines {
		if line := people.line(); !regexp.MustCompile(want).MatchString(line) {
			t.Errorf("line %q, want %s", line, want)
		}
	}
}

func TestAReadGoesOnAtTheOtherServerFromAnyCursor(t *testing.T) {
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		here, there := startTwo(t, backend.Redis)
		ada := here.signIn("Ada")
		for i := range 6 {
			here.post(ada, "lobby", fmt.Sprint(i))
		}
		all := readN(6, func() func() client.Entry {
			stream := here.openStream("/r/lobby/events")
			stream.event()
			return stream.entry
		}())
		for i, entry := range all[:5] {
			rest, bare := all[i+1:], "?after="+entry.ID
			cursor := "?after=" + entry.Cursor
			ways := map[string]func() []client.Entry{
				"Last-Event-ID": func() []client.Entry {
					stream := there.openStream("/r/lobby/events?last=1", "Last-Event-ID: "+entry.Cursor)
					expectFollowed(t, stream.event(), "resumed", entry.Cursor)
					return readN(len(rest), stream.entry)
				},
				"Last-Event-ID before after": func() []client.Entry {
					stream := there.openStream("/r/lobby/events?after=0-0", "Last-Event-ID: "+entry.Cursor)
					expectFollowed(t, stream.event(), "resumed", entry.Cursor)
					return readN(len(rest), stream.entry)
				},
				"after": func() []client.Entry {
					stream := there.openStream("/r/lobby/events"+cursor, "Accept: application/x-ndjson")
					stream.jsonLine()
					return readN(len(rest), stream.jsonLine)
				},
				"after a bare ID": func() []client.Entry {
					stream := there.openStream("/r/lobby/events" + bare)
					expectFollowed(t, stream.event(), "resumed", entry.Cursor)
					return readN(len(rest), stream.entry)
				},
				"WebSocket": func() []client.Entry {
					socket := there.connect(anonymous)
					if followed := socket.follow("lobby", `,"after":"`+entry.Cursor+`"`); followed.State != "resumed" || followed.At != entry.Cursor {
						t.Errorf("followed: %+v", followed)
					}
					return socket.read("lobby", len(rest))
				},
			}
			for way, read := range ways {
				if got := read(); !slices.Equal(ids(got), ids(rest)) {
					t.Errorf("%s, from entry %d: got %v, want %v", way, i+1, texts(got), texts(rest))
				}
			}
		}
	})
}

func expectFollowed(t *testing.T, event client.Event, state, at string) {
	t.Helper()
	want := fmt.Sprintf(`{"type":"followed","room":"lobby","state":%q,"at":%q,`, state, at)
	if event.ID != at || event.Type != "followed" || !strings.HasPrefix(event.Data, want) {
		t.Errorf("got %+v, want %s", event, want)
	}
}
