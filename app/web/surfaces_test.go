package web

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"time"

	"burble/app/client"
	"burble/streams"
)

// A surface is one of the ways to use Burble. All surfaces must accept and refuse the same origins
// (origins_test.go) and credentials (credentials_test.go).
type surface struct {
	name      string
	hasEffect bool // whether it stores something or opens a socket
	// request sends a request with additional headers. It returns the status and the ID of the user
	// that the server identified: "" for none, unknown if the response does not show it.
	request func(s *testServer, headers ...string) (status int, user string)
}

const unknown = "unknown"

var surfaces = []surface{
	{"socket", true, openSocket},
	{"message as JSON", true, postMessage("application/json", `{"text":"hi"}`)},
	{"message as a form", true, postMessage("application/x-www-form-urlencoded", `text=hi`)},
	{"message as plain text", true, postMessage("text/plain", `hi`)},
	{"message as a file", true, postFile},
	{"sign-in with JSON", true, postSession("application/json", `{"name":"Eve"}`)},
	{"sign-in with a form", true, postSession("application/x-www-form-urlencoded", `name=Eve`)},
	{"home page", false, getPage("/")},
	{"room page", false, getPage("/r/quiet")},
	{"message page", false, getMessagePage},
	{"rooms", false, getJSON("/rooms")},
	{"history", false, getJSON("/r/quiet/messages")},
	{"file", false, getFile},
	{"search", false, getJSON("/r/quiet/search?q=x")},
	{"SSE", false, openLiveRead("text/event-stream")},
	{"NDJSON", false, openLiveRead("application/x-ndjson")},
	{"plain text", false, openLiveRead("text/plain")},
}

func openSocket(s *testServer, headers ...string) (int, string) {
	s.t.Helper()
	c, refused := s.dial(headers...)
	if refused != nil {
		return refused.Status, ""
	}
	if hello := await[*client.Hello](c); hello.User != nil {
		return http.StatusSwitchingProtocols, hello.User.ID
	}
	return http.StatusSwitchingProtocols, ""
}

// postMessage posts a message and reads its author's ID from the room.
func postMessage(contentType, body string) func(*testServer, ...string) (int, string) {
	return func(s *testServer, headers ...string) (int, string) {
		s.t.Helper()
		got := s.request("POST", "/r/lobby/messages", body, append(headers, "Content-Type: "+contentType)...)
		if got.status >= 400 {
			return got.status, ""
		}
		return got.status, s.history("lobby", "?limit=1").Entries[0].User.ID
	}
}

// postSession creates a user, or renames the one that the client already has, and returns the user ID in
// the new cookie.
func postSession(contentType, body string) func(*testServer, ...string) (int, string) {
	return func(s *testServer, headers ...string) (int, string) {
		s.t.Helper()
		got := s.request("POST", "/session", body, append(headers, "Content-Type: "+contentType)...)
		for _, cookie := range (&http.Response{Header: got.header}).Cookies() {
			if user, _, err := s.tokens.Verify(cookie.Value, time.Now()); err == nil {
				return got.status, user.ID
			}
		}
		return got.status, ""
	}
}

var pageUser = regexp.MustCompile(`<body [^>]*data-user="([^"]*)"`)

// getPage requests a page and returns the user ID that it contains.
func getPage(path string) func(*testServer, ...string) (int, string) {
	return func(s *testServer, headers ...string) (int, string) {
		s.t.Helper()
		page := s.get(path, append(headers, "Accept: text/html")...)
		if found := pageUser.FindStringSubmatch(page.body); found != nil {
			return page.status, found[1]
		}
		return page.status, ""
	}
}

// getMessagePage requests the page of another user's message.
func getMessagePage(s *testServer, headers ...string) (int, string) {
	s.t.Helper()
	return getPage("/r/bobs/"+s.post(s.signIn("Bob"), "bobs", "hi").ID)(s, headers...)
}

func getJSON(path string) func(*testServer, ...string) (int, string) {
	return func(s *testServer, headers ...string) (int, string) {
		s.t.Helper()
		return s.get(path, headers...).status, unknown
	}
}

func openLiveRead(accept string) func(*testServer, ...string) (int, string) {
	return func(s *testServer, headers ...string) (int, string) {
		s.t.Helper()
		stream, err := s.client.OpenStream(s.t.Context(), "/r/quiet/events", append(headers, "Accept: "+accept)...)
		if refused, ok := errors.AsType[*client.Error](err); ok {
			return refused.Status, unknown
		}
		if err != nil {
			s.t.Fatal(err)
		}
		stream.Close()
		return http.StatusOK, unknown
	}
}

// postFile uploads a file, and reads from Redis whose it is.
func postFile(s *testServer, headers ...string) (int, string) {
	s.t.Helper()
	got := s.request("POST", "/r/lobby/files", "hi", headers...)
	if got.status >= 400 {
		return got.status, ""
	}
	var file uploaded
	got.decode(s.t, &file)
	key := fmt.Sprintf("{%d}:file:%s", streams.Bucket("lobby"), file.ID)
	return got.status, s.store.Conns().Retrying.HGet(s.t.Context(), key, "uid").Val()
}

// getFile requests a file of another user's message.
func getFile(s *testServer, headers ...string) (int, string) {
	s.t.Helper()
	bob := s.signIn("Bob")
	message := s.sendFiles("bobs", bob, s.uploadTo("bobs", bob, "x", "hi"))
	return getJSON("/f/bobs/"+message+"/0")(s, headers...)
}
