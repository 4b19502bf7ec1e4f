package web

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"burble/app/protocol"
	"burble/streams/conns"

	"github.com/alicebob/miniredis/v2"
)

func TestErrorsArePagesForBrowsersOnly(t *testing.T) {
	t.Parallel()
	s := startOne(t)
	for accept, isPage := range map[string]bool{
		"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8": true,
		"application/json": false, "*/*": false, "": false, "text/event-stream": false,
		"TEXT/HTML": true, "text/html; charset=utf-8": true, "text/html;q=0": false, "application/json, text/html;q=0.5": false,
	} {
		got := s.get("/nothing", "Accept: "+accept)
		contentType := got.header.Get("Content-Type")
		if strings.HasPrefix(contentType, "text/html") != isPage || got.status != 404 || got.header.Get("Cache-Control") != "no-store" {
			t.Errorf("Accept %q: status %d, type %s; want 404, a page: %v", accept, got.status, contentType, isPage)
		}
		if strings.Contains(got.body, "Cannot GET") {
			t.Errorf("Accept %q: got Fiber's own message: %s", accept, got.body)
		}
	}
}

// expectErrorPage checks an error page. The page must contain the title, the text and a link to the
// home page, and no jargon. canRetry reports whether it must also have a link to try again.
func expectErrorPage(t *testing.T, got response, status int, title, text string, canRetry bool) {
	t.Helper()
	if got.status != status || !strings.Contains(got.body, "<title>"+title+" · Burble</title>") || !strings.Contains(got.body, "<h1>"+title+"</h1>") {
		t.Errorf("status %d, want %d and the title %q: %s", got.status, status, title, got.body)
	}
	if !strings.Contains(got.body, text) || !strings.Contains(got.body, `href="/"`) || strings.Contains(got.body, `href=""`) != canRetry {
		t.Errorf("%s: want %q, a link to the home page, and a link to try again: %v; got %s", title, text, canRetry, got.body)
	}
	for _, jargon := range []string{http.StatusText(status), "POST", "key."} {
		if strings.Contains(got.body, jargon) {
			t.Errorf("%s: shows %q to users: %s", title, jargon, got.body)
		}
	}
}

func TestErrorPages(t *testing.T) {
	t.Parallel()
	s := startOne(t)
	cookie, origin, browser := "Cookie: burble="+s.signIn("Ada").Token, "Origin: http://"+s.host, "Accept: text/html"
	expectErrorPage(t, s.get("/nothing", browser), 404, "This page does not exist", "Check the address for mistakes.", false)
	expectErrorPage(t, s.get("/r/lobby/7", browser), 404, "There is no such message", "", false)
	expectErrorPage(t, s.get("/r/No.Room", browser), 400, "That is not a valid room name", "1 to 64 characters from a-z", false)
	expectErrorPage(t, s.get("/r/lobby?at=noon", browser), 400, "That request was not understood", "must be a time", false)
	foreign := s.postForm("/r/lobby/messages", "text=hi", browser, cookie, "Origin: https://evil.example")
	expectErrorPage(t, foreign, 403, "This request came from another site", "Nothing was changed.", false)
	large := s.postForm("/r/lobby/messages", "text="+strings.Repeat("x", protocol.MaxFrame), browser, cookie, origin)
	expectErrorPage(t, large, 413, "That is too long", "what you wrote is still there", false)

	limited := startOne(t, func(set *settings) { set.RateAddress = 0.01 })
	limited.get("/")
	expectErrorPage(t, limited.get("/", browser), 429, "Too many requests", "Try again later.", true)
}

func TestErrorPagesDuringAnOutageKeepTheMessage(t *testing.T) {
	t.Parallel()
	database := miniredis.RunT(t)
	s := startServer(t, &conns.Address{Addrs: []string{database.Addr()}})
	cookie, origin, browser := "Cookie: burble="+s.signIn("Ada").Token, "Origin: http://"+s.host, "Accept: text/html"
	database.Close()
	for _, path := range []string{"/", "/r/lobby"} {
		expectErrorPage(t, s.get(path, browser), 503, "Chat storage is unavailable", "Your messages are safe.", true)
	}
	if got := s.get("/r/lobby/messages"); !strings.Contains(got.body, "Try again with the same key.") {
		t.Errorf("the JSON does not advise the client to retry: %s", got.body)
	}
	unsent := s.postForm("/r/lobby/messages", "text=hello+%3Cthere%3E", browser, cookie, origin)
	expectErrorPage(t, unsent, 503, "Chat storage is unavailable", ">hello &lt;there&gt;</textarea>", false)
	long := s.postForm("/r/lobby/messages", "text="+strings.Repeat("x", protocol.MaxText+1), browser, cookie, origin)
	expectErrorPage(t, long, 413, "A message may have at most 4000 characters. This one has 4001", ">"+strings.Repeat("x", protocol.MaxText+1)+"</textarea>", false)

	if err := database.Restart(); err != nil {
		t.Fatal(err)
	}
	_, key, _ := strings.Cut(unsent.body, `name="key" type="hidden" value="`)
	key, _, _ = strings.Cut(key, `"`)
	for range 2 {
		eventually(t, "the message is stored", func() bool {
			return s.postForm("/r/lobby/messages", "text=hello+%3Cthere%3E&key="+key, browser, cookie, origin).status == 303
		})
	}
	eventually(t, "messages can be read", func() bool { return s.get("/r/lobby/messages").status == 200 })
	if got := texts(s.history("lobby", "").Entries); !slices.Equal(got, []string{"hello <there>"}) {
		t.Errorf("three attempts with one key stored %q, want one message", got)
	}
}

func TestRefusedFormKeepsUserInput(t *testing.T) {
	t.Parallel()
	s := startOne(t)
	ada := s.signIn("Ada")
	long := strings.Repeat("name", 12)
	for next, want := range map[string]string{
		"":                                       "/",
		"%2F":                                    "/",
		"%2Fr%2Flobby":                           "/r/lobby",
		"%2Fr%2Flobby%2F1732281600000-0":         "/r/lobby",
		"%2Fr%2Flobby%3Fat%3D2026-03-01":         "/r/lobby",
		"%2Fr%2FNo+Room":                         "/",
		"%2Frooms":                               "/",
		"%2F%2Fevil.example%2Fr%2Flobby":         "/",
		"https%3A%2F%2Fevil.example%2Fr%2Flobby": "/",
		"%2Fr%2F..%2F%22%3E%3Cscript%3E":         "/",
	} {
		for user, headers := range map[string][]string{"a new user": nil, "Ada": {"Cookie: burble=" + ada.Token}} {
			headers = append(headers, "Accept: text/html", "Origin: http://"+s.host)
			got := s.postForm("/session", "name="+long+"&next="+next, headers...)
			if got.status != 400 || !strings.Contains(got.body, "at most 40 characters") || got.header.Get("Location") != "" {
				t.Errorf("next %q, %s: status %d, Location %q; want 400 and the reason", next, user, got.status, got.header.Get("Location"))
			}
			if user == "Ada" && want != "/" {
				continue // a room's page has no name form for a user with a name
			}
			if !strings.Contains(got.body, `value="`+long+`"`) || !strings.Contains(got.body, `name="next" type="hidden" value="`+want+`"`) {
				t.Errorf("next %q, %s: the form lacks the name, or does not lead to %s", next, user, want)
			}
		}
	}
	message := s.postForm("/r/lobby/messages", "text=hello+from+nobody", "Accept: text/html")
	if message.status != 403 || !strings.Contains(message.body, "hello from nobody") || !strings.Contains(message.body, `value="/r/lobby"`) {
		t.Errorf("message without a name: status %d, want 403 and a form with the text: %s", message.status, message.body)
	}
	room := s.get("/open?room=%3C%3F%3E", "Accept: text/html")
	if room.status != 400 || !strings.Contains(room.body, `value="&lt;?&gt;"`) {
		t.Errorf("invalid room name: status %d, want 400 and a form with the name: %s", room.status, room.body)
	}
}
