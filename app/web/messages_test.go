package web

import (
	"burble/app/client"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"burble/app/protocol"
	"burble/streams"
	"burble/streams/redistest"

	"github.com/google/uuid"
)

func TestMessageIsPostedInAnyForm(t *testing.T) {
	here, there := startTwo(t, newMiniredis(t))
	ada := here.signIn("Ada")
	text := "hello & <b>you</b>\n\tand \"me\" 👍 \u2028+%20"
	for kind, body := range map[string]string{
		"application/json":                                 `{"text":` + quote(text) + `}`,
		"Application/JSON; charset=utf-8":                  `{"text":` + quote(text) + `}`,
		"text/plain":                                       text,
		"text/plain; charset=utf-8":                        text,
		"application/x-www-form-urlencoded":                "text=" + url.QueryEscape(text),
		"application/x-www-form-urlencoded; charset=utf-8": "text=" + url.QueryEscape(strings.ReplaceAll(text, "\n", "\r\n")),
	} {
		got := here.request("POST", "/r/lobby/messages", body, ada.bearer(), "Content-Type: "+kind)
		form := strings.HasPrefix(kind, "application/x-www")
		if form && (got.status != http.StatusSeeOther || got.header.Get("Location") != "/r/lobby") {
			t.Errorf("%s: %d, Location %q", kind, got.status, got.header.Get("Location"))
		}
		entries := there.history("lobby", "?limit=1").Entries
		if len(entries) != 1 || entries[0].Text != text || entries[0].User.ID != ada.User.ID || uuid.Validate(entries[0].Key) != nil {
			t.Fatalf("%s: stored %+v", kind, entries)
		}
		if form {
			continue
		}
		var stored posted
		got.decode(t, &stored)
		if got.status != http.StatusCreated || got.header.Get("Location") != "/r/lobby/"+entries[0].ID ||
			stored.ID != entries[0].ID || stored.Key != entries[0].Key || !strings.HasPrefix(stored.Cursor, stored.ID+"@") {
			t.Errorf("%s: %d %s, Location %q", kind, got.status, got.body, got.header.Get("Location"))
		}
	}
}

func TestMessageMayHaveFourThousandCharacters(t *testing.T) {
	s := startOne(t)
	ada := s.signIn("Ada")
	for _, text := range []string{strings.Repeat("é", protocol.MaxText), strings.Repeat("😀", protocol.MaxText), "x"} {
		s.post(ada, "lobby", text)
		if got := s.history("lobby", "?limit=1").Entries[0].Text; got != text {
			t.Errorf("of %d bytes %d came back", len(text), len(got))
		}
	}
}

func TestPostUnderTheSameKeyIsStoredOnce(t *testing.T) {
	here, there := startTwo(t, newMiniredis(t))
	ada, key := here.signIn("Ada"), client.NewKey()
	first := here.postJSON("/r/lobby/messages", `{"text":"once"}`, ada.bearer(), "Idempotency-Key: "+key)
	var stored posted
	if first.decode(t, &stored); first.status != 201 || stored.Key != key {
		t.Fatalf("first: %d %s", first.status, first.body)
	}
	for name, again := range map[string]response{
		"again":          here.postJSON("/r/lobby/messages", `{"text":"once"}`, ada.bearer(), "Idempotency-Key: "+key),
		"elsewhere":      there.postJSON("/r/lobby/messages", `{"text":"once"}`, ada.bearer(), "Idempotency-Key: "+key),
		"in quotes":      there.postJSON("/r/lobby/messages", `{"text":"once"}`, ada.bearer(), `Idempotency-Key: "`+key+`"`),
		"in the body":    there.postJSON("/r/lobby/messages", `{"text":"once","key":"`+key+`"}`, ada.bearer()),
		"with more text": there.postJSON("/r/lobby/messages", `{"text":"twice"}`, ada.bearer(), "Idempotency-Key: "+key),
	} {
		if again.status != 200 || again.body != first.body || again.header.Get("Location") != "/r/lobby/"+stored.ID {
			t.Errorf("%s: %d %s, want 200 %s", name, again.status, again.body, first.body)
		}
	}
	if got := texts(there.history("lobby", "").Entries); !slices.Equal(got, []string{"once"}) {
		t.Errorf("stored %q", got)
	}
	if counted := there.get("/metrics").body; !strings.Contains(counted, "\nburble_entries_appended_total 0\n") {
		t.Errorf("entries that were stored before are counted:\n%s", counted)
	}
	// The same key in another room is another message.
	if got := here.postJSON("/r/dev/messages", `{"text":"once"}`, ada.bearer(), "Idempotency-Key: "+key); got.status != 201 {
		t.Errorf("another room: %d %s", got.status, got.body)
	}
}

func TestReplyByHTTP(t *testing.T) {
	here, there := startTwo(t, newMiniredis(t))
	ada := here.signIn("Ada")
	first := here.post(ada, "lobby", "question")
	there.postForm("/r/lobby/messages", "text=answer&reply_to="+first.ID, ada.bearer())
	if got := here.history("lobby", "?limit=1").Entries[0]; got.Text != "answer" || got.ReplyTo != first.ID {
		t.Errorf("got %+v", got)
	}
}

func TestPagesOfHistoryAreLinkedBothWays(t *testing.T) {
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		here, there := startTwo(t, backend.Redis)
		ada := here.signIn("Ada")
		var all []string
		for i := range 23 {
			all = append(all, here.post(ada, "lobby", fmt.Sprint(i)).ID)
		}
		back := walk(t, there, "?limit=5", func(page client.History) (string, *string) { return "before", page.Older })
		slices.Reverse(back)
		if got := slices.Concat(back...); !slices.Equal(got, all) {
			t.Errorf("backwards: %v, want %v", got, all)
		}
		onward := walk(t, there, "?limit=5&after=0-0", func(page client.History) (string, *string) { return "after", page.Newer })
		if got := slices.Concat(onward...); !slices.Equal(got, all) {
			t.Errorf("onward: %v, want %v", got, all)
		}
		if first := there.history("lobby", "?after=0-0&limit=5"); first.Older != nil {
			t.Errorf("before the very first there is %s", *first.Older)
		}
		around := there.history("lobby", "?limit=5&around="+all[10])
		if got := ids(around.Entries); !slices.Equal(got, all[8:13]) || *around.Older != all[8] || *around.Newer != all[12] {
			t.Errorf("around: %v, want %v", got, all[8:13])
		}
		if whole := there.history("lobby", "?limit=500"); len(whole.Entries) != 23 || whole.Older != nil || whole.Newer != nil {
			t.Errorf("the whole room: %d entries, older %v, newer %v", len(whole.Entries), whole.Older, whole.Newer)
		}
	})
}

// walk follows one of a page's bounds until there is none.
func walk(t *testing.T, s *testServer, query string, next func(client.History) (string, *string)) (pages [][]string) {
	t.Helper()
	for range 10 {
		page := s.history("lobby", query)
		pages = append(pages, ids(page.Entries))
		name, bound := next(page)
		if bound == nil {
			return pages
		}
		query = "?limit=5&" + name + "=" + *bound
	}
	t.Fatalf("it goes on: %v", pages)
	return nil
}

func TestPageOfHistoryAtAMoment(t *testing.T) {
	s := startServer(t, redistest.Start(t).Redis())
	ada := s.signIn("Ada")
	all := []string{s.post(ada, "lobby", "the only one").ID}
	for _, moment := range []string{ // in every way to write one, before it and after
		"2026-03-01T09:00:00Z", "2026-03-01T09:00:00.5Z", "2026-03-01T09:00:00+02:00", "2026-03-01T09:00+02:00", "2026-03-01T09:00Z", "2026-03-01T09:00", "2026-03-01T09:00:30",
		"2026-03-01", "1970-01-01", "9999-12-31T23:59",
	} {
		page := s.history("lobby", "?at="+url.QueryEscape(moment))
		if !slices.Equal(ids(page.Entries), all) {
			t.Errorf("%s: %+v", moment, page)
		}
	}
	for range 9 {
		all = append(all, s.post(ada, "lobby", "more").ID)
	}
	id, _ := streams.ParseID(all[5])
	moment := strconv.FormatUint(id.Millis, 10) + "-" // which has several messages on a fast machine
	first := all[slices.IndexFunc(all, func(one string) bool { return strings.HasPrefix(one, moment) })]
	page := s.history("lobby", "?limit=4&at="+url.QueryEscape(id.Time().UTC().Format(time.RFC3339Nano)))
	if got := ids(page.Entries); !slices.Contains(got, first) {
		t.Errorf("at %s: %v", first, got)
	}
}

func TestRoomThatIsNotThereIsAnEmptyPage(t *testing.T) {
	s := startOne(t)
	want := `{"room":"nobody-was-here","as_of":"0-0@0","entries":[],"older":null,"newer":null}`
	got := s.get("/r/nobody-was-here/messages")
	if got.status != 200 || got.body != want || got.header.Get("Content-Type") != "application/json; charset=utf-8" || got.header.Get("Cache-Control") != "no-store" {
		t.Errorf("%d %s %v, want %s", got.status, got.body, got.header, want)
	}
}

func TestPageLeadsIntoTheLiveRead(t *testing.T) {
	here, there := startTwo(t, newMiniredis(t))
	ada := here.signIn("Ada")
	here.post(ada, "lobby", "before")
	page := there.history("lobby", "")
	here.post(ada, "lobby", "between")
	c := there.connect(anonymous)
	if followed := c.follow("lobby", `,"after":"`+page.AsOf+`"`); followed.State != "resumed" {
		t.Errorf("followed: %+v", followed)
	}
	here.post(ada, "lobby", "after")
	if got := texts(c.read("lobby", 2)); !slices.Equal(got, []string{"between", "after"}) {
		t.Errorf("got %q", got)
	}
}

func TestPageOfHistoryMayCarryHTML(t *testing.T) {
	s := startOne(t)
	s.post(s.signIn("Ada"), "lobby", "*hi*")
	for query, want := range map[string]string{"": "", "?html=false": "", "?html=true": "<p><em>hi</em></p>"} {
		got := s.history("lobby", query).Entries[0]
		if hasHTML := strings.Contains(s.get("/r/lobby/messages"+query).body, `"html"`); got.HTML != want || hasHTML != (want != "") {
			t.Errorf("%q: %+v", query, got)
		}
	}
}

func TestEntryThatBurbleDidNotWriteIsPassedOver(t *testing.T) {
	redis := redistest.Start(t)
	here, there := startTwo(t, redis.Redis())
	ada := here.signIn("Ada")
	database := redis.Client()
	defer database.Close()
	live := there.connect(anonymous)
	live.follow("lobby", "")
	here.post(ada, "lobby", "before")
	live.read("lobby", 1)
	var room string
	for _, key := range database.Keys(t.Context(), "*room:lobby").Val() {
		room = key
	}
	poison := database.Do(t.Context(), "XADD", room, "*", "hello", "\xff\x00").Val().(string)
	here.post(ada, "lobby", "after")
	late := there.connect(anonymous)
	late.follow("lobby", "")
	for name, got := range map[string][]client.Entry{"live": live.read("lobby", 3), "late": late.read("lobby", 3)} {
		if got[1].Kind != "unreadable" || got[1].ID != poison || got[1].User != (client.User{}) || !slices.Equal(texts(got), []string{"before", "", "after"}) {
			t.Errorf("%s: %+v", name, got)
		}
	}
	page := here.get("/r/lobby", "Accept: text/html")
	if page.status != 200 || !strings.Contains(page.body, "<p>before</p>") || !strings.Contains(page.body, "<p>after</p>") {
		t.Errorf("the page: %d", page.status)
	}
	if got := here.history("lobby", ""); len(got.Entries) < 2 {
		t.Errorf("history: %+v", got)
	}
}
