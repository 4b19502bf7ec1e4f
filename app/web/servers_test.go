package web

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"burble/app/client"
	"burble/streams/redistest"
)

// A conversation takes place in the lobby, through two servers on one Redis. The tests check that
// every reader gets the same entries, on either server and in every format.
type conversation struct {
	there    *testServer
	ada, bob testUser
	ids      []string // of the entries, in order
}

// startConversation appends all entries but the last: three messages, a reaction and an edit.
func startConversation(here, there *testServer) *conversation {
	c := &conversation{there: there, ada: here.signIn("Ada"), bob: there.signIn("Bob")}
	ada, bob := here.connect(c.ada), there.connect(c.bob)
	add := func(id string) string {
		c.ids = append(c.ids, id)
		return id
	}
	first := add(ada.post("lobby", "hello *world*\nsecond line"))
	var reply, plain posted
	here.postJSON("/r/lobby/messages", fmt.Sprintf(`{"text":"hi Ada","reply_to":%q}`, first), c.bob.bearer()).decode(here.t, &reply)
	add(reply.ID)
	there.request("POST", "/r/lobby/messages", "plain <b>text</b>", "Content-Type: text/plain", c.ada.bearer()).decode(here.t, &plain)
	add(plain.ID)
	add(bob.appendf(`{"type":"react","room":"lobby","key":"%s","of":"%s","emoji":"👍","on":true}`, client.NewKey(), first))
	add(ada.appendf(`{"type":"edit","room":"lobby","key":"%s","of":"%s","text":"hello **all**"}`, client.NewKey(), first))
	return c
}

// end deletes the second message, the reply. The server then removes its text from Redis, so live
// readers must have read it before.
func (c *conversation) end() {
	bob := c.there.connect(c.bob)
	c.ids = append(c.ids, bob.appendf(`{"type":"delete","room":"lobby","key":"%s","of":"%s"}`, client.NewKey(), c.ids[1]))
}

// remaining returns the IDs of the entries that are still in Redis after end.
func (c *conversation) remaining() []string { return slices.Delete(slices.Clone(c.ids), 1, 2) }

// expect checks the entries that a live reader got.
func (c *conversation) expect(t *testing.T, reader string, entries []client.Entry) {
	t.Helper()
	if !slices.Equal(ids(entries), c.ids) {
		t.Fatalf("%s: got %v, want %v", reader, ids(entries), c.ids)
	}
	var kinds []string
	for i, entry := range entries {
		kinds = append(kinds, entry.Kind)
		if entry.Number != int64(i+1) {
			t.Errorf("%s: entry %d has number %d, want %d", reader, i+1, entry.Number, i+1)
		}
	}
	if want := []string{"message", "message", "message", "react", "edit", "delete"}; !slices.Equal(kinds, want) {
		t.Fatalf("%s: kinds %v, want %v", reader, kinds, want)
	}
	first, reply, plain, reaction, edit, deletion := entries[0], entries[1], entries[2], entries[3], entries[4], entries[5]
	switch {
	case first.Text != "hello *world*\nsecond line", plain.Text != "plain <b>text</b>", edit.Text != "hello **all**":
		t.Errorf("%s: got the texts %q, want those that were sent", reader, texts(entries))
	case reply.ReplyTo != first.ID, reaction.Target != first.ID, edit.Target != first.ID, deletion.Target != reply.ID:
		t.Errorf("%s: an entry refers to the wrong message: %+v", reader, entries)
	case reaction.Emoji != "👍" || !reaction.On:
		t.Errorf("%s: reaction %+v, want 👍 on", reader, reaction)
	case first.User.Name != "Ada" || first.User.ID != c.ada.ID || deletion.User.ID != c.bob.ID:
		t.Errorf("%s: an entry has the wrong user: %+v", reader, entries)
	}
}

// liveReader is a live read of the lobby.
type liveReader struct {
	name string
	next func(count int) []client.Entry
	got  []client.Entry
}

// startReaders starts a live reader in each format that sends whole entries.
func startReaders(s *testServer, name string) []*liveReader {
	socket, html := s.connect(anonymous), s.connect(anonymous)
	socket.follow("lobby", "")
	html.follow("lobby", `,"html":true,"last":5`)
	events := s.openStream("/r/lobby/events", "Accept: text/event-stream")
	events.event()
	lines := s.openStream("/r/lobby/events", "Accept: application/x-ndjson")
	lines.jsonLine()
	return []*liveReader{
		{name: name + ", WebSocket", next: socket.readNext("lobby")},
		{name: name + ", WebSocket with HTML", next: html.readNext("lobby")},
		{name: name + ", SSE", next: func(count int) []client.Entry { return readN(count, events.entry) }},
		{name: name + ", NDJSON", next: func(count int) []client.Entry { return readN(count, lines.jsonLine) }},
	}
}

func TestEveryReaderGetsTheSameOnBothServers(t *testing.T) {
	t.Parallel()
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		here, there := startTwo(t, backend.Redis)
		readers := append(startReaders(here, "here"), startReaders(there, "there")...)
		plain := there.openStream("/r/lobby/events", "Accept: text/plain")
		c := startConversation(here, there)
		for _, reader := range readers {
			reader.got = reader.next(5)
		}
		plain.expectMatches(
			"^[0-2][0-9]:[0-5][0-9] Ada: hello \\*world\\*$", "^      second line$",
			"^[0-9:]+ Bob: hi Ada$", "^[0-9:]+ Ada: plain <b>text</b>$",
			"^[0-9:]+ Ada edited a message: hello \\*\\*all\\*\\*$",
		)
		c.end()
		plain.expectMatches("^[0-9:]+ Bob deleted a message$")
		for _, reader := range readers {
			c.expect(t, reader.name, append(reader.got, reader.next(1)...))
		}
		for _, server := range []*testServer{here, there} {
			newcomer := server.connect(anonymous)
			for _, from := range []string{`,"after":"0-0"`, `,"last":500`} {
				newcomer.follow("lobby", from)
				if got := ids(newcomer.readNext("lobby")(5)); !slices.Equal(got, c.remaining()) {
					t.Errorf("newcomer, %s: got %v, want %v", from, got, c.remaining())
				}
			}
			c.expectHistory(t, server.history("lobby", ""))
			c.expectPage(t, server.get("/r/lobby", "Accept: text/html"))
		}
	})
}

func TestEntriesWithHTML(t *testing.T) {
	t.Parallel()
	here, there := startTwo(t, newMiniredis(t))
	reader := there.connect(anonymous)
	reader.follow("lobby", `,"html":true`)
	c := startConversation(here, there)
	reader.read("lobby", 5)
	c.end()
	want := []string{
		"<p>hello <em>world</em><br>\nsecond line</p>",
		"<p>hi Ada</p>",
		"<p>plain &lt;b&gt;text&lt;/b&gt;</p>",
		"", // the reaction
		"<p>hello <strong>all</strong></p>",
		"", // the deletion
	}
	for i, entry := range reader.read("lobby", 6) {
		if entry.HTML != want[i] {
			t.Errorf("entry %d, %s: HTML %q, want %q", i+1, entry.Kind, entry.HTML, want[i])
		}
	}
}

// expectHistory checks the page of history after end: the messages with all amendments applied.
func (c *conversation) expectHistory(t *testing.T, page client.History) {
	t.Helper()
	if !slices.Equal(ids(page.Entries), c.ids[:3]) || page.Room != "lobby" || page.Older != nil || page.Newer != nil {
		t.Fatalf("history: %+v, want the three messages and no others", page)
	}
	if !strings.HasPrefix(page.AsOf, c.ids[5]+"@") {
		t.Errorf("as of %s, want the last entry, %s", page.AsOf, c.ids[5])
	}
	first, reply, plain := page.Entries[0], page.Entries[1], page.Entries[2]
	if first.Text != "hello **all**" || first.Edited != c.ids[4] || !slices.Equal(first.Reactions["👍"], []string{c.bob.ID}) {
		t.Errorf("edited message: %+v, want the new text, the ID of the edit, and the reaction", first)
	}
	if !reply.Deleted || reply.Text != "" || reply.Number != 2 || reply.ReplyTo != first.ID || reply.User.Name != "Bob" {
		t.Errorf("deleted message: %+v, want it without its text", reply)
	}
	if plain.Text != "plain <b>text</b>" || plain.Edited != "" || plain.Reactions != nil || plain.Deleted {
		t.Errorf("third message: %+v, want it unchanged", plain)
	}
}

// expectPage checks the room's page after end.
func (c *conversation) expectPage(t *testing.T, page response) {
	t.Helper()
	if got := messageIDs(page); page.status != http.StatusOK || !slices.Equal(got, c.ids[:3]) {
		t.Fatalf("page: status %d, messages %v; want 200 and %v", page.status, got, c.ids[:3])
	}
	for _, part := range []string{"<p>hello <strong>all</strong></p>", "This message was deleted.", "plain &lt;b&gt;text&lt;/b&gt;", "👍 1", c.ids[5] + "@"} {
		if !strings.Contains(page.body, part) {
			t.Errorf("the page lacks %q", part)
		}
	}
	for _, removed := range []string{"hi Ada", "<em>world</em>"} {
		if strings.Contains(page.body, removed) {
			t.Errorf("the page still has %q", removed)
		}
	}
}

// expectMatches checks the next lines of a live read against regular expressions.
func (s *testStream) expectMatches(want ...string) {
	s.t.Helper()
	for _, pattern := range want {
		if line := s.line(); !regexp.MustCompile(pattern).MatchString(line) {
			s.t.Errorf("line %q, want %s", line, pattern)
		}
	}
}

func TestReadResumesOnTheOtherServerFromAnyCursor(t *testing.T) {
	t.Parallel()
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		here, there := startTwo(t, backend.Redis)
		ada := here.signIn("Ada")
		for i := range 6 {
			here.post(ada, "lobby", fmt.Sprint(i))
		}
		stream := here.openStream("/r/lobby/events")
		stream.event()
		all := readN(6, stream.entry)
		for i, entry := range all[:5] {
			rest := all[i+1:]
			// resume reads server-sent events and checks where they begin.
			resume := func(query string, headers ...string) []client.Entry {
				stream := there.openStream("/r/lobby/events"+query, headers...)
				stream.expectResumed(entry.Cursor)
				return readN(len(rest), stream.entry)
			}
			for name, read := range map[string]func() []client.Entry{
				"Last-Event-ID":                  func() []client.Entry { return resume("?last=1", "Last-Event-ID: "+entry.Cursor) },
				"Last-Event-ID instead of after": func() []client.Entry { return resume("?after=0-0", "Last-Event-ID: "+entry.Cursor) },
				"after an ID":                    func() []client.Entry { return resume("?after=" + entry.ID) },
				"after a cursor, NDJSON": func() []client.Entry {
					stream := there.openStream("/r/lobby/events?after="+entry.Cursor, "Accept: application/x-ndjson")
					stream.jsonLine()
					return readN(len(rest), stream.jsonLine)
				},
				"WebSocket": func() []client.Entry {
					socket := there.connect(anonymous)
					if followed := socket.follow("lobby", `,"after":"`+entry.Cursor+`"`); followed.State != "resumed" || followed.At != entry.Cursor {
						t.Errorf("followed: %+v, want resumed at %s", followed, entry.Cursor)
					}
					return socket.read("lobby", len(rest))
				},
			} {
				if got := read(); !slices.Equal(ids(got), ids(rest)) {
					t.Errorf("%s, after entry %d: got %v, want %v", name, i+1, texts(got), texts(rest))
				}
			}
		}
	})
}

// expectResumed checks that the next event is "followed" with the state "resumed" and the cursor.
func (s *testStream) expectResumed(at string) {
	s.t.Helper()
	event := s.event()
	want := fmt.Sprintf(`{"type":"followed","room":"lobby","state":"resumed","at":%q,`, at)
	if event.ID != at || event.Type != "followed" || !strings.HasPrefix(event.Data, want) {
		s.t.Errorf("got %+v, want %s", event, want)
	}
}
