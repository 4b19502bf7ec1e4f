package web

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"burble/app/protocol"
)

// The form for opening a room leads to the same room with and without the script, which requests JSON.
func TestOpenRedirectsToTheRoom(t *testing.T) {
	t.Parallel()
	s := startOne(t)
	for typed, room := range map[string]string{
		"a-new_1": "a-new_1", "Lobby": "lobby", "Überraschung": "uberraschung", "Café Müller": "cafe-muller", "Привет": "privet", "北京": "bei-jing",
		"a/b": "a-b", "//evil.example": "evil-example", "a\r\nSet-Cookie: b": "a-set-cookie-b", "": "", "🎉": "", "\xff": "", strings.Repeat("a", 65): "",
	} {
		path := "/open?room=" + url.QueryEscape(typed)
		got, object := s.get(path), s.get(path, "Accept: application/json")
		location, name := got.header.Get("Location"), ""
		if object.status == 200 {
			var body struct{ Room string }
			object.decode(t, &body)
			name = body.Room
		} else {
			object.expectRefusal(t, 400, protocol.BadRoom, "room")
		}
		switch {
		case name != room:
			t.Errorf("%q: the script gets %q, want %q", typed, name, room)
		case room == "" && (got.status != 400 || location != "" || !strings.Contains(got.body, "A room name must have")):
			t.Errorf("%q: status %d, Location %q; want 400 and the reason", typed, got.status, location)
		case room != "" && (got.status != 303 || location != "/r/"+room):
			t.Errorf("%q: %d, Location %q, want /r/%s", typed, got.status, location, room)
		}
	}
	if browser := s.get("/open?room=Lobby", "Accept: text/html,application/xhtml+xml,*/*;q=0.8"); browser.status != 303 {
		t.Errorf("a browser gets status %d, want 303", browser.status)
	}
}

func TestPageOfARespelledRoomRedirects(t *testing.T) {
	t.Parallel()
	s := startOne(t)
	for path, want := range map[string]string{
		"/r/Lobby": "/r/lobby", "/r/LOBBY?before=1-1&x=%20y": "/r/lobby?before=1-1&x=%20y", "/r/Lobby/1-1": "/r/lobby/1-1", "/r/Lobby/1-1?a": "/r/lobby/1-1?a",
		"/r/%C3%9Cberraschung": "/r/uberraschung", "/r/Caf%C3%A9%20M%C3%BCller": "/r/cafe-muller", "/r/Überraschung": "/r/uberraschung",
		"/r/Lobb%79": "/r/lobby", "/r/%E5%8C%97%E4%BA%AC": "/r/bei-jing",
	} {
		for _, accept := range []string{"text/html", "*/*"} {
			if got := s.get(path, "Accept: "+accept); got.status != 301 || got.header.Get("Location") != want {
				t.Errorf("%s: %d, Location %q, want %q", path, got.status, got.header.Get("Location"), want)
			}
		}
	}
	for _, path := range []string{"/r/" + strings.Repeat("A", 65), "/r/%F0%9F%8E%89", "/r/Lobby%0d%0aSet-Cookie:a=b", "/r/%ff", "/r/-A"} {
		if got := s.get(path); got.status != 400 || got.header.Get("Location") != "" || got.header.Get("Set-Cookie") != "" {
			t.Errorf("%s: status %d, headers %v; want 400 without Location and Set-Cookie", path, got.status, got.header)
		}
	}
}

var roomLink = regexp.MustCompile(`<li><a href="/r/([a-z0-9_-]+)"`)

func TestCreatedRoomIsListedWhileItIsEmpty(t *testing.T) {
	t.Parallel()
	s := startOne(t)
	ada, cookies := s.signIn("Ada"), map[string]string{}
	cookies["burble"] = ada.Token
	get := func(path string) response {
		t.Helper()
		var pairs []string
		for name, value := range cookies {
			pairs = append(pairs, name+"="+value)
		}
		got := s.get(path, "Accept: text/html", "Cookie: "+strings.Join(pairs, "; "))
		for _, cookie := range (&http.Response{Header: got.header}).Cookies() {
			cookies[cookie.Name] = cookie.Value
		}
		return got
	}
	expect := func(path string, want ...string) {
		t.Helper()
		var listed []string
		for _, match := range roomLink.FindAllStringSubmatch(get(path).body, -1) {
			listed = append(listed, match[1])
		}
		if !slices.Equal(listed, want) {
			t.Errorf("%s lists %v, want %v", path, listed, want)
		}
	}
	s.post(ada, "lobby", "hi")
	expect("/", "lobby")
	get("/open?room=Garden+Shed")
	get("/open?room=attic")
	get("/open?room=lobby")
	expect("/", "lobby", "attic", "garden-shed")
	expect("/r/attic", "lobby", "attic", "garden-shed")
	expect("/r/lobby", "lobby", "attic", "garden-shed")
	if others := s.get("/", "Accept: text/html", "Cookie: burble="+s.signIn("Bob").Token); strings.Contains(others.body, "attic") {
		t.Error("another user's list contains the empty room")
	}

	s.post(ada, "attic", "hi")
	expect("/", "attic", "lobby", "garden-shed")
	if cookies["burble_empty"] != "garden-shed" {
		t.Errorf("the cookie is %q, want only garden-shed, because attic and lobby are not empty", cookies["burble_empty"])
	}

	// The cookie keeps the last rooms, whatever it contained before.
	cookies["burble_empty"] = "../x.garden-shed.garden-shed..A.lobby:meta"
	expect("/", "attic", "lobby", "garden-shed")
	const remembered = 10
	for n := range 2 * remembered {
		get(fmt.Sprintf("/open?room=new-%d", n))
	}
	if names := strings.Split(cookies["burble_empty"], "."); len(names) != remembered || names[0] != fmt.Sprintf("new-%d", 2*remembered-1) {
		t.Errorf("after %d rooms the cookie is %q, want the last %d rooms", 2*remembered, cookies["burble_empty"], remembered)
	}
}
