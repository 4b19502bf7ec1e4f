package web

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"burble/app/peer"
	"burble/app/protocol"
	"burble/streams"
)

var messageID = regexp.MustCompile(`<article [^>]*id=m([0-9-]+)`)

// messageIDs returns the entry IDs of a page's messages, in order.
func messageIDs(page response) []string {
	var all []string
	for _, match := range messageID.FindAllStringSubmatch(page.body, -1) {
		all = append(all, match[1])
	}
	return all
}

func TestHomePageListsRooms(t *testing.T) {
	t.Parallel()
	here, there := startTwo(t, newMiniredis(t))
	empty := here.get("/", "Accept: text/html")
	if empty.status != 200 || strings.Contains(empty.body, `href="/r/`) || !strings.HasPrefix(empty.header.Get("Content-Type"), "text/html") {
		t.Errorf("without rooms: status %d, headers %v; want 200 and a page without links to rooms", empty.status, empty.header)
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
		t.Errorf("the most recently active room is not first: third at %d, first at %d", third, first)
	}
	if !strings.Contains(home.body, "Ada &lt;b&gt;") || strings.Contains(home.body, "Ada <b>") {
		t.Error("the user's name is missing or not escaped")
	}
	if caching := home.header.Get("Cache-Control"); !strings.Contains(caching, "private") {
		t.Errorf("Cache-Control = %q on a user's own page, want private", caching)
	}
}

// startWithMessages starts two servers and posts messages to the lobby on one. It returns the other
// server and the messages' IDs.
func startWithMessages(t *testing.T, count int) (there *testServer, all []string) {
	t.Helper()
	here, there := startTwo(t, newMiniredis(t))
	ada := here.signIn("Ada")
	for i := range count {
		all = append(all, here.post(ada, "lobby", fmt.Sprint(i)).ID)
	}
	return there, all
}

func TestRoomPageShowsTheNewestMessages(t *testing.T) {
	t.Parallel()
	s, all := startWithMessages(t, 120)
	newest := s.get("/r/lobby", "Accept: text/html")
	if got := messageIDs(newest); !slices.Equal(got, all[70:]) {
		t.Errorf("newest: %d messages, want the newest 50", len(got))
	}
	if !strings.Contains(newest.body, `data-as-of="`+all[119]+"@") || !strings.Contains(newest.body, "data-live") {
		t.Error("the page lacks the cursor that the script resumes from")
	}
	older := s.get("/r/lobby?before="+all[70], "Accept: text/html")
	if got := messageIDs(older); !slices.Equal(got, all[20:70]) || strings.Contains(older.body, "data-live") {
		t.Errorf("older: %d messages, live: %v; want the 50 before, and not live", len(got), strings.Contains(older.body, "data-live"))
	}
	newer := s.get("/r/lobby?after="+all[69], "Accept: text/html")
	if got := messageIDs(newer); !slices.Equal(got, all[70:]) || !strings.Contains(newer.body, "data-live") {
		t.Errorf("newer: %d messages, live: %v; want the newest 50, and live", len(got), strings.Contains(newer.body, "data-live"))
	}
	id, _ := streams.ParseID(all[60])
	at := s.get("/r/lobby?at="+url.QueryEscape(id.Time().UTC().Format(time.RFC3339Nano)), "Accept: text/html")
	if got := messageIDs(at); !slices.Contains(got, all[60]) || len(got) != 50 {
		t.Errorf("at a time: got %v, want 50 messages with %s", got, all[60])
	}
	if got := messageIDs(s.get("/r/lobby?at=1970-01-01")); !slices.Equal(got, all[:50]) {
		t.Errorf("before the first message: got %d messages, want the first 50", len(got))
	}
}

func TestPermalinkShowsItsMessage(t *testing.T) {
	t.Parallel()
	s, all := startWithMessages(t, 120)
	link := s.get("/r/lobby/"+all[30], "Accept: text/html")
	withQuery := s.get("/r/lobby/" + all[30] + "?at=1970-01-01&before=" + all[3]) // the query is ignored
	for _, page := range []response{link, withQuery} {
		if got := messageIDs(page); len(got) != 50 || !slices.Contains(got, all[30]) || page.status != 200 {
			t.Errorf("permalink: status %d, messages %v; want 200 and 50 messages with %s", page.status, got, all[30])
		}
	}
	if !strings.Contains(link.body, `id=m`+all[30]+` `) || strings.Count(link.body, `aria-current=true`) != 1 {
		t.Error("the message is not highlighted")
	}
	millis, _, _ := strings.Cut(all[30], "-")
	for _, missing := range []string{millis + "-99999", "123-0", "1795700000000-99"} {
		page := s.get("/r/lobby/"+missing, "Accept: text/html")
		if page.status != 404 || !strings.Contains(page.body, `role="alert">That message no longer exists.`) || len(messageIDs(page)) == 0 {
			t.Errorf("permalink of a missing message: status %d, %d messages; want 404, the reason, and the messages around it", page.status, len(messageIDs(page)))
		}
		if strings.Contains(page.body, `aria-current=true`) {
			t.Error("another message is highlighted instead of the missing one")
		}
		if around := s.history("lobby", "?around="+missing); len(around.Entries) == 0 {
			t.Error("the JSON around a missing message is empty")
		}
	}
}

func TestRoomPageWorksWithoutScript(t *testing.T) {
	t.Parallel()
	here, there := startTwo(t, newMiniredis(t))
	origin := "Origin: http://" + here.host
	page := here.get("/r/lobby", "Accept: text/html")
	if page.status != 200 || !strings.Contains(page.body, `action="/session"`) || strings.Contains(page.body, `action="/r/lobby/messages"`) {
		t.Error("the page does not ask a new user for a name first")
	}
	signedIn := here.postForm("/session", "name=Ada&next=%2Fr%2Flobby", origin)
	cookie := "Cookie: burble=" + sessionCookie(t, signedIn).Value
	page = here.get(here.get(signedIn.header.Get("Location"), cookie).header.Get("Location"), "Accept: text/html", cookie)
	if !strings.Contains(page.body, `action="/r/lobby/messages"`) {
		t.Error("the page has no message form for a user with a name")
	}
	sent := here.postForm("/r/lobby/messages", "text=hello+%3Cb%3Ethere%3C%2Fb%3E", cookie, origin)
	if sent.status != 303 {
		t.Fatalf("post: status %d, want 303: %s", sent.status, sent.body)
	}
	page = there.get(sent.header.Get("Location"), "Accept: text/html", cookie)
	if !strings.Contains(page.body, "<p>hello &lt;b&gt;there&lt;/b&gt;</p>") || !strings.Contains(page.body, "data-mine") {
		t.Error("the message is not on the page, or not marked as the user's own")
	}
	if !regexp.MustCompile(`>\d\d:\d\d UTC</a>`).MatchString(page.body) {
		t.Error("the time of the message is not marked as UTC")
	}
	refused := here.postForm("/r/lobby/messages", "text="+strings.Repeat("x", protocol.MaxText+1), cookie, origin, "Accept: text/html")
	if refused.status != 413 || !strings.Contains(refused.body, "at most 4000 characters") || !strings.Contains(refused.body, strings.Repeat("x", protocol.MaxText+1)) {
		t.Errorf("message that is too long: status %d, want 413, the reason, and a form with the text", refused.status)
	}
	foreign := here.postForm("/r/lobby/messages", "text=hi", cookie, "Origin: https://evil.example", "Accept: text/html")
	if foreign.status != 403 || strings.Contains(foreign.body, "textarea") {
		t.Errorf("foreign origin: status %d, want 403 and no form: %s", foreign.status, foreign.body)
	}
}

func TestRoomPageEscapesNamesAndMessages(t *testing.T) {
	t.Parallel()
	s := startOne(t)
	mallory := s.signIn(`"><script>alert(1)</script>`)
	first := s.post(mallory, "lobby", `<script>alert(1)</script><img src=x onerror=alert(1)>`)
	s.postJSON("/r/lobby/messages", `{"text":"re","reply_to":"`+first.ID+`"}`, mallory.bearer())
	page := s.get("/r/lobby", "Accept: text/html", "Cookie: burble="+mallory.Token)
	if strings.Contains(page.body, "<script>") || strings.Contains(page.body, "<img src=x") {
		t.Errorf("the page contains unescaped HTML: %s", page.body)
	}
}

// When someone shares a link, other chats and social networks show the description in the linked page.
func TestPagesDescribeThemselvesToOtherSites(t *testing.T) {
	t.Parallel()
	s := startOne(t, func(set *settings) {
		set.TrustedProxy, set.Hosts = peer.ProxyHeroku, []string{"chat.example.org"}
	})
	ada := s.signIn("Ada")
	c := s.connect(ada)
	c.appendf(`{"type":"topic","room":"lobby","key":"%s","text":"Tea & \"biscuits\""}`, validKey)
	id := s.post(ada, "lobby", "a secret").ID
	meta := regexp.MustCompile(`<meta (?:name|property)="([a-z:_]+)" content="([^"]*)">`)
	const origin = "https://chat.example.org"
	for path, want := range map[string]map[string]string{
		"/":                      {"og:title": "Burble", "description": "Chat rooms where nothing gets lost.", "og:url": origin + "/", "robots": ""},
		"/r/lobby":               {"og:title": "#lobby", "description": "Tea &amp; &#34;biscuits&#34;", "og:url": origin + "/r/lobby", "robots": "noindex"},
		"/r/lobby/" + id:         {"og:title": "#lobby", "og:description": "Tea &amp; &#34;biscuits&#34;", "og:url": origin + "/r/lobby/" + id, "robots": "noindex"},
		"/r/quiet?at=2026-03-01": {"og:title": "#quiet", "og:description": "A chat room. Open the link, choose a name, and write.", "og:url": origin + "/r/quiet", "robots": "noindex"},
		"/nothing":               {"og:title": "", "description": "", "robots": "noindex"},
	} {
		page := s.get(path, "Host: chat.example.org", "X-Forwarded-Proto: https", "Accept: text/html")
		head, _, _ := strings.Cut(page.body, "<body")
		got := map[string]string{}
		for _, found := range meta.FindAllStringSubmatch(head, -1) {
			got[found[1]] = found[2]
		}
		for name, value := range want {
			if got[name] != value {
				t.Errorf("%s: %s is %q, want %q", path, name, got[name], value)
			}
		}
		if strings.Contains(head, "secret") {
			t.Errorf("%s: the preview contains a message", path)
		}
		image, isHere := strings.CutPrefix(got["og:image"], origin)
		if got["og:title"] != "" && (!isHere || s.get(image).status != 200) {
			t.Errorf("%s: the image %q does not exist on this server", path, got["og:image"])
		}
	}
}
