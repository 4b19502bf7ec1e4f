package web

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"burble/app/markup"
	"burble/app/protocol"
	"burble/streams"
)

// shown are the entry IDs of a page's messages, in order.
func shown(page response) []string {
	var all []string
	for _, match := range messageID.FindAllStringSubmatch(page.body, -1) {
		all = append(all, match[1])
	}
	return all
}

func TestHomeListsTheRooms(t *testing.T) {
	here, there := startTwo(t, newMiniredis(t))
	empty := here.get("/", "Accept: text/html")
	if empty.status != 200 || strings.Contains(empty.body, `href="/r/`) || !strings.HasPrefix(empty.header.Get("Content-Type"), "text/html") {
		t.Errorf("without rooms: %d %v", empty.status, empty.header)
	}
	ada := here.signIn("Ada <b>")
	latest := ""
	for _, room := range []string{"first", "second", "third"} {
		for before := latest; latest == before; { // rooms are sorted by the millisecond
			latest, _, _ = strings.Cut(here.post(ada, room, "hi").ID, "-")
		}
	}
	home := there.get("/", "Accept: text/html", "Cookie: burble="+ada.Token)
	third, first := strings.Index(home.body, `href="/r/third"`), strings.Index(home.body, `href="/r/first"`)
	if third < 0 || first < third {
		t.Errorf("the newest is not first: %d, %d", third, first)
	}
	if !strings.Contains(home.body, "Ada &lt;b&gt;") || strings.Contains(home.body, "Ada <b>") {
		t.Error("the name is not there, or not as text")
	}
	if kept := home.header.Get("Cache-Control"); !strings.Contains(kept, "private") {
		t.Errorf("Cache-Control %q, of a page that is one user's", kept)
	}
}

func TestOpenLeadsToTheRoom(t *testing.T) {
	s := startOne(t)
	if got := s.get("/open?room=a-new_1"); got.status != 303 || got.header.Get("Location") != "/r/a-new_1" {
		t.Errorf("got %d, Location %q", got.status, got.header.Get("Location"))
	}
	for _, room := range []string{"", "Lobby", "a/b", "//evil.example", "a%0d%0ab"} {
		got := s.get("/open?room=" + room)
		if got.status != 400 || got.header.Get("Location") != "" || !strings.Contains(got.body, "A room&#39;s name has") {
			t.Errorf("%q: %d, Location %q", room, got.status, got.header.Get("Location"))
		}
	}
}

func TestRoomPageShowsTheNewestAndWhereToGoOn(t *testing.T) {
	here, there := startTwo(t, newMiniredis(t))
	ada := here.signIn("Ada")
	var all []string
	for i := range 120 {
		all = append(all, here.post(ada, "lobby", fmt.Sprint(i)).ID)
	}
	newest := there.get("/r/lobby", "Accept: text/html")
	if got := shown(newest); !slices.Equal(got, all[70:]) {
		t.Errorf("newest: %d messages, want 50", len(got))
	}
	if !strings.Contains(newest.body, `data-as-of="`+all[119]+"@") || !strings.Contains(newest.body, "data-live") {
		t.Error("the script is not told where to go on")
	}
	older := there.get("/r/lobby?before="+all[70], "Accept: text/html")
	if got := shown(older); !slices.Equal(got, all[20:70]) || strings.Contains(older.body, "data-live") {
		t.Errorf("older: %d messages, live %v", len(got), strings.Contains(older.body, "data-live"))
	}
	newer := there.get("/r/lobby?after="+all[69], "Accept: text/html")
	if got := shown(newer); !slices.Equal(got, all[70:]) || !strings.Contains(newer.body, "data-live") {
		t.Errorf("newer: %d messages", len(got))
	}
	link := there.get("/r/lobby/"+all[30], "Accept: text/html")
	for _, link := range []response{link, there.get("/r/lobby/" + all[30] + "?at=1970-01-01&before=" + all[3])} { // carried besides
		if got := shown(link); len(got) != 50 || !slices.Contains(got, all[30]) || link.status != 200 {
			t.Errorf("permalink: %d, %v", link.status, got)
		}
	}
	if !strings.Contains(link.body, `id="m`+all[30]+`"`) || strings.Count(link.body, `aria-current="true"`) != 1 {
		t.Error("the message is not marked")
	}
	for _, gone := range []string{all[30] + "9", "123-0", "1795700000000-99"} {
		link := there.get("/r/lobby/"+gone, "Accept: text/html")
		if link.status != 404 || !strings.Contains(link.body, `role="alert">That message no longer exists.`) || len(shown(link)) == 0 {
			t.Errorf("permalink of no message: %d, %d messages", link.status, len(shown(link)))
		}
		if strings.Contains(link.body, `aria-current="true"`) {
			t.Error("another message is marked as the one that is not there")
		}
		if around := there.history("lobby", "?around="+gone); len(around.Entries) == 0 {
			t.Error("a program gets nothing around it")
		}
	}
	id, _ := streams.ParseID(all[60])
	moment := there.get("/r/lobby?at="+url.QueryEscape(id.Time().UTC().Format(time.RFC3339Nano)), "Accept: text/html")
	if got := shown(moment); !slices.Contains(got, all[60]) || len(got) != 50 {
		t.Errorf("at a moment: %v", got)
	}
	if got := shown(there.get("/r/lobby?at=1970-01-01")); !slices.Equal(got, all[:50]) {
		t.Errorf("at the beginning of time: %d messages", len(got))
	}
}

func TestRoomPageIsReadAndWrittenWithoutScript(t *testing.T) {
	here, there := startTwo(t, newMiniredis(t))
	origin := "Origin: http://" + here.host
	page := here.get("/r/lobby", "Accept: text/html")
	if page.status != 200 || !strings.Contains(page.body, `action="/session"`) || strings.Contains(page.body, `action="/r/lobby/messages"`) {
		t.Error("a stranger is not asked for a name first")
	}
	joined := here.postForm("/session", "name=Ada&next=%2Fr%2Flobby", origin)
	cookie := "Cookie: burble=" + sessionCookie(t, joined).Value
	page = here.get(joined.header.Get("Location"), "Accept: text/html", cookie)
	if !strings.Contains(page.body, `action="/r/lobby/messages"`) {
		t.Error("who has a name cannot write")
	}
	sent := here.postForm("/r/lobby/messages", "text=hello+%3Cb%3Ethere%3C%2Fb%3E", cookie, origin)
	if sent.status != 303 {
		t.Fatalf("sent: %d %s", sent.status, sent.body)
	}
	page = there.get(sent.header.Get("Location"), "Accept: text/html", cookie)
	if !strings.Contains(page.body, "<p>hello &lt;b&gt;there&lt;/b&gt;</p>") || !strings.Contains(page.body, "data-mine") {
		t.Error("what was written is not on the page, or not the writer's")
	}
	refused := here.postForm("/r/lobby/messages", "text="+strings.Repeat("x", protocol.MaxText+1), cookie, origin, "Accept: text/html")
	if refused.status != 413 || !strings.Contains(refused.body, "at most 4000 characters") || !strings.Contains(refused.body, strings.Repeat("x", protocol.MaxText+1)) {
		t.Errorf("refused: %d, and what was typed is lost", refused.status)
	}
	foreign := here.postForm("/r/lobby/messages", "text=hi", cookie, "Origin: https://evil.example", "Accept: text/html")
	if foreign.status != 403 || strings.Contains(foreign.body, "textarea") {
		t.Errorf("foreign: %d", foreign.status)
	}
}

func TestRoomPageOfWhatWasWrittenIsOnlyText(t *testing.T) {
	s := startOne(t)
	nasty := s.signIn(`"><script>alert(1)</script>`)
	first := s.post(nasty, "lobby", `<script>alert(1)</script><img src=x onerror=alert(1)>`)
	s.postJSON("/r/lobby/messages", `{"text":"re","reply_to":"`+first.ID+`"}`, nasty.bearer())
	page := s.get("/r/lobby", "Accept: text/html", "Cookie: burble="+nasty.Token)
	if strings.Contains(page.body, "<script>") || strings.Contains(page.body, "<img src=x") {
		t.Errorf("the page holds what somebody wrote: %s", page.body)
	}
}

func TestReplyShowsWhatItAnswersWithoutMarks(t *testing.T) {
	for text, want := range map[string]string{
		"its **cursor**: `a < b`\nsecond line": "its cursor: a < b",
		"*x* [here](https://example.com)":      "x here",
		"<b>not HTML</b>":                      "<b>not HTML</b>",
	} {
		entry := streams.Entry{Kind: streams.Message, Text: text}
		if got := firstLine(markup.Text(markup.HTML(&entry))); got != want {
			t.Errorf("%q shows %q, want %q", text, got, want)
		}
	}
}
