package web

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"burble/app/client"
	"burble/app/protocol"
	"burble/streams"
	"burble/streams/redistest"

	"github.com/google/uuid"
)

func TestPostAcceptsEveryContentType(t *testing.T) {
	t.Parallel()
	here, there := startTwo(t, newMiniredis(t))
	ada := here.signIn("Ada")
	text := "hello & <b>you</b>\n\tand \"me\" 👍 \u2028+%20"
	for contentType, body := range map[string]string{
		"application/json":                                 `{"text":` + quote(text) + `}`,
		"Application/JSON; charset=utf-8":                  `{"text":` + quote(text) + `}`,
		"text/plain":                                       text,
		"text/plain; charset=utf-8":                        text,
		"application/x-www-form-urlencoded":                "text=" + url.QueryEscape(text),
		"application/x-www-form-urlencoded; charset=utf-8": "text=" + url.QueryEscape(strings.ReplaceAll(text, "\n", "\r\n")),
	} {
		got := here.request("POST", "/r/lobby/messages", body, ada.bearer(), "Content-Type: "+contentType)
		entries := there.history("lobby", "?limit=1").Entries
		if len(entries) != 1 || entries[0].Text != text || entries[0].User.ID != ada.ID || uuid.Validate(entries[0].Key) != nil {
			t.Fatalf("%s: stored %+v, want one message of Ada with the text %q", contentType, entries, text)
		}
		if strings.HasPrefix(contentType, "application/x-www") {
			if got.status != http.StatusSeeOther || got.header.Get("Location") != "/r/lobby" {
				t.Errorf("%s: status %d, Location %q; want 303 and /r/lobby", contentType, got.status, got.header.Get("Location"))
			}
			continue
		}
		var stored posted
		got.decode(t, &stored)
		if got.status != http.StatusCreated || got.header.Get("Location") != "/r/lobby/"+entries[0].ID ||
			stored.ID != entries[0].ID || stored.Key != entries[0].Key || !strings.HasPrefix(stored.Cursor, stored.ID+"@") {
			t.Errorf("%s: status %d, body %s, Location %q; want 201 and the stored message", contentType, got.status, got.body, got.header.Get("Location"))
		}
	}
}

func TestLongestMessages(t *testing.T) {
	t.Parallel()
	s := startOne(t)
	ada := s.signIn("Ada")
	for _, text := range []string{strings.Repeat("é", protocol.MaxText), strings.Repeat("😀", protocol.MaxText), "x"} {
		s.post(ada, "lobby", text)
		if got := s.history("lobby", "?limit=1").Entries[0].Text; got != text {
			t.Errorf("posted a text of %d bytes, but read a different one of %d bytes", len(text), len(got))
		}
	}
}

func TestPostWithTheSameKeyIsStoredOnce(t *testing.T) {
	t.Parallel()
	here, there := startTwo(t, newMiniredis(t))
	ada, key := here.signIn("Ada"), client.NewKey()
	first := here.postJSON("/r/lobby/messages", `{"text":"once"}`, ada.bearer(), "Idempotency-Key: "+key)
	var stored posted
	if first.decode(t, &stored); first.status != 201 || stored.Key != key {
		t.Fatalf("first attempt: status %d, body %s; want 201 and the key", first.status, first.body)
	}
	for name, again := range map[string]response{
		"same request":      here.postJSON("/r/lobby/messages", `{"text":"once"}`, ada.bearer(), "Idempotency-Key: "+key),
		"other server":      there.postJSON("/r/lobby/messages", `{"text":"once"}`, ada.bearer(), "Idempotency-Key: "+key),
		"quoted key":        there.postJSON("/r/lobby/messages", `{"text":"once"}`, ada.bearer(), `Idempotency-Key: "`+key+`"`),
		"key in the body":   there.postJSON("/r/lobby/messages", `{"text":"once","key":"`+key+`"}`, ada.bearer()),
		"different message": there.postJSON("/r/lobby/messages", `{"text":"twice"}`, ada.bearer(), "Idempotency-Key: "+key),
	} {
		if again.status != 200 || again.body != first.body || again.header.Get("Location") != "/r/lobby/"+stored.ID {
			t.Errorf("%s: %d %s, want 200 %s", name, again.status, again.body, first.body)
		}
	}
	if got := texts(there.history("lobby", "").Entries); !slices.Equal(got, []string{"once"}) {
		t.Errorf("stored %q, want one message", got)
	}
	if metrics := there.get("/metrics").body; !strings.Contains(metrics, "\nburble_entries_appended_total 0\n") {
		t.Errorf("the metrics count repeated messages as stored:\n%s", metrics)
	}
	if got := here.postJSON("/r/dev/messages", `{"text":"once"}`, ada.bearer(), "Idempotency-Key: "+key); got.status != 201 {
		t.Errorf("same key in another room: status %d, want 201: %s", got.status, got.body)
	}
}

func TestReplyOverHTTP(t *testing.T) {
	t.Parallel()
	here, there := startTwo(t, newMiniredis(t))
	ada := here.signIn("Ada")
	question := here.post(ada, "lobby", "question")
	there.postForm("/r/lobby/messages", "text=answer&reply_to="+question.ID, ada.bearer())
	if got := here.history("lobby", "?limit=1").Entries[0]; got.Text != "answer" || got.ReplyTo != question.ID {
		t.Errorf("stored %+v, want a reply to %s", got, question.ID)
	}
}

func TestPagesOfHistoryLinkBothWays(t *testing.T) {
	t.Parallel()
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		here, there := startTwo(t, backend.Redis)
		ada := here.signIn("Ada")
		var all []string
		for i := range 23 {
			all = append(all, here.post(ada, "lobby", fmt.Sprint(i)).ID)
		}
		older := there.pages("?limit=5", func(page client.History) (string, *string) { return "before", page.Older })
		slices.Reverse(older)
		if got := slices.Concat(older...); !slices.Equal(got, all) {
			t.Errorf("older: %v, want %v", got, all)
		}
		newer := there.pages("?limit=5&after=0-0", func(page client.History) (string, *string) { return "after", page.Newer })
		if got := slices.Concat(newer...); !slices.Equal(got, all) {
			t.Errorf("newer: %v, want %v", got, all)
		}
		if first := there.history("lobby", "?after=0-0&limit=5"); first.Older != nil {
			t.Errorf("first page: older %s, want none", *first.Older)
		}
		around := there.history("lobby", "?limit=5&around="+all[10])
		if got := ids(around.Entries); !slices.Equal(got, all[8:13]) || *around.Older != all[8] || *around.Newer != all[12] {
			t.Errorf("around: %v, want %v", got, all[8:13])
		}
		if whole := there.history("lobby", "?limit=500"); len(whole.Entries) != 23 || whole.Older != nil || whole.Newer != nil {
			t.Errorf("whole room: %d entries, older %v, newer %v; want 23 and no other pages", len(whole.Entries), whole.Older, whole.Newer)
		}
	})
}

// pages reads the lobby's history page by page until a page has no further link, and returns the IDs
// on each page. link returns the query parameter that leads to the next page, and its value.
func (s *testServer) pages(query string, link func(client.History) (string, *string)) (pages [][]string) {
	s.t.Helper()
	for range 10 {
		page := s.history("lobby", query)
		pages = append(pages, ids(page.Entries))
		name, id := link(page)
		if id == nil {
			return pages
		}
		query = "?limit=5&" + name + "=" + *id
	}
	s.t.Fatalf("more than 10 pages: %v", pages)
	return nil
}

func TestPageOfHistoryAtATime(t *testing.T) {
	t.Parallel()
	s := startServer(t, redistest.Start(t).Redis())
	ada := s.signIn("Ada")
	all := []string{s.post(ada, "lobby", "the only one").ID}
	for _, at := range []string{ // every format, before and after the message
		"2026-03-01T09:00:00Z", "2026-03-01T09:00:00.5Z", "2026-03-01T09:00:00+02:00", "2026-03-01T09:00+02:00", "2026-03-01T09:00Z", "2026-03-01T09:00", "2026-03-01T09:00:30",
		"2026-03-01", "1970-01-01", "9999-12-31T23:59",
	} {
		page := s.history("lobby", "?at="+url.QueryEscape(at))
		if !slices.Equal(ids(page.Entries), all) {
			t.Errorf("%s: got %v, want %v", at, ids(page.Entries), all)
		}
	}
	for range 9 {
		all = append(all, s.post(ada, "lobby", "more").ID)
	}
	id, _ := streams.ParseID(all[5])
	millisecond := strconv.FormatUint(id.Millis, 10) + "-" // which several messages may share
	first := all[slices.IndexFunc(all, func(id string) bool { return strings.HasPrefix(id, millisecond) })]
	page := s.history("lobby", "?limit=4&at="+url.QueryEscape(id.Time().UTC().Format(time.RFC3339Nano)))
	if got := ids(page.Entries); !slices.Contains(got, first) {
		t.Errorf("at %s: got %v, want its message among them", first, got)
	}
}

func TestUnknownRoomHasNoHistory(t *testing.T) {
	t.Parallel()
	s := startOne(t)
	want := `{"room":"unknown","as_of":"0-0@0","entries":[],"older":null,"newer":null,"trimmed":false}`
	got := s.get("/r/unknown/messages")
	if got.status != 200 || got.body != want || got.header.Get("Content-Type") != "application/json; charset=utf-8" || got.header.Get("Cache-Control") != "no-store" {
		t.Errorf("status %d, body %s, headers %v; want 200 and %s", got.status, got.body, got.header, want)
	}
}

func TestLiveReadContinuesAPageOfHistory(t *testing.T) {
	t.Parallel()
	here, there := startTwo(t, newMiniredis(t))
	ada := here.signIn("Ada")
	here.post(ada, "lobby", "before")
	page := there.history("lobby", "")
	here.post(ada, "lobby", "between")
	c := there.connect(anonymous)
	if followed := c.follow("lobby", `,"after":"`+page.AsOf+`"`); followed.State != "resumed" {
		t.Errorf("followed: %+v, want resumed", followed)
	}
	here.post(ada, "lobby", "after")
	if got := texts(c.read("lobby", 2)); !slices.Equal(got, []string{"between", "after"}) {
		t.Errorf("read %q, want the messages after the page", got)
	}
}

func TestPageOfHistoryWithHTML(t *testing.T) {
	t.Parallel()
	s := startOne(t)
	s.post(s.signIn("Ada"), "lobby", "*hi*")
	for query, want := range map[string]string{"": "", "?html=false": "", "?html=true": "<p><em>hi</em></p>"} {
		got := s.history("lobby", query).Entries[0]
		if hasHTML := strings.Contains(s.get("/r/lobby/messages"+query).body, `"html"`); got.HTML != want || hasHTML != (want != "") {
			t.Errorf("%q: got %+v, want HTML %q", query, got, want)
		}
	}
}

func TestUnreadableEntryIsSkipped(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	here, there := startTwo(t, server.Redis())
	ada := here.signIn("Ada")
	database := server.Client()
	defer database.Close()
	live := there.connect(anonymous)
	live.follow("lobby", "")
	here.post(ada, "lobby", "before")
	live.read("lobby", 1)
	room := database.Keys(t.Context(), "*room:lobby").Val()[0]
	unreadable := database.Do(t.Context(), "XADD", room, "*", "hello", "\xff\x00").Val().(string)
	here.post(ada, "lobby", "after")
	newcomer := there.connect(anonymous)
	newcomer.follow("lobby", "")
	for name, got := range map[string][]client.Entry{"live": live.read("lobby", 3), "newcomer": newcomer.read("lobby", 3)} {
		if got[1].Kind != "unreadable" || got[1].ID != unreadable || got[1].User != (client.User{}) || !slices.Equal(texts(got), []string{"before", "", "after"}) {
			t.Errorf("%s: got %+v, want an unreadable entry between two messages", name, got)
		}
	}
	page := here.get("/r/lobby", "Accept: text/html")
	if page.status != 200 || !strings.Contains(page.body, "<p>before</p>") || !strings.Contains(page.body, "<p>after</p>") {
		t.Errorf("page: status %d, want 200 and both messages: %s", page.status, page.body)
	}
	if got := here.history("lobby", ""); len(got.Entries) < 2 {
		t.Errorf("history: %+v, want both messages", got)
	}
}
