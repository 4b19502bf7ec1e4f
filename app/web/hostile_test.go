package web

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"burble/app/client"
	"burble/app/hostile"
	"burble/app/protocol"
	"burble/streams/redistest"

	"golang.org/x/net/html"
)

// injections are texts that try to break out of their context: HTML, an attribute, a URL, a template,
// a script, a server-sent event, a line of JSON, a terminal.
var injections = []string{
	`<script>alert(1)</script>`,
	`"><script src=//evil.example></script>`,
	`' autofocus onfocus=alert(1) x='`,
	`</textarea></title></style></script><img src=x onerror=alert(1)>`,
	`<svg/onload=alert(1)>`,
	`<iframe srcdoc="<script>alert(1)</script>">`,
	`<base href=//evil.example><form action=//evil.example><meta http-equiv=refresh content=0;//evil.example>`,
	`<template><a href=javascript:alert(1)>x</a></template>`,
	`[x](javascript:alert(1)) <javascript:alert(1)> ![x](data:text/html,y)`,
	"```\" onclick=\"alert(1)\nx\n```",
	`{{.}} ${alert(1)} <%= 1 %>`,
	`\u003cscript\u003e &lt;script&gt; &#60;script&#62; %3Cscript%3E`,
	"<scr\x00ipt>alert(1)</scr\x00ipt>",
	"-->]]><!--<script>",
	"x\n\nevent: entry\ndata: {\"kind\":\"message\"}\n\n",
	"x\r\rid: 1-1\rdata: y\r\r",
	"x\n00:00 Ada: I never said that\n",
	"\x1b[2J\x1b]0;title\x07\x9b31m\u009b31m\x08\x7f",
	"x\u2028\u2029\u0085y\ufeff",
	"\ud7ff\ue000\uffff\U0010ffff",
	strings.Repeat("\u0301", 500),
	"\u202eevil\u202c \u2066x\u2069",
}

// urlAttributes are the attributes whose URLs a browser follows.
var urlAttributes = map[string]bool{"href": true, "src": true, "action": true, "formaction": true, "poster": true, "data": true}

// parsePage returns a page's elements ("a") and their attributes ("a href") as a browser parses them.
// It fails the test if a URL runs a script or loads something from another site.
func parsePage(t *testing.T, page string) map[string]bool {
	t.Helper()
	parts := map[string]bool{}
	tokens := html.NewTokenizer(strings.NewReader(page))
	for {
		switch tokens.Next() {
		case html.ErrorToken:
			return parts
		case html.CommentToken:
			parts["comment"] = true
		case html.StartTagToken, html.SelfClosingTagToken:
			token := tokens.Token()
			parts[token.Data] = true
			for _, attribute := range token.Attr {
				parts[token.Data+" "+attribute.Key] = true
				if urlAttributes[attribute.Key] && !isHarmlessURL(token.Data, attribute.Val) {
					t.Errorf("<%s %s=%q> has a harmful URL", token.Data, attribute.Key, attribute.Val)
				}
			}
		}
	}
}

// isHarmlessURL reports whether an element may have the URL. Only links may lead to other sites.
func isHarmlessURL(element, text string) bool {
	target, err := url.Parse(text)
	if err != nil || target.Host != "" && element != "a" {
		return false
	}
	return target.Scheme == "" || target.Scheme == "http" || target.Scheme == "https" || target.Scheme == "mailto"
}

// getRedirected is get, but follows one redirect.
func (s *testServer) getRedirected(path string, headers ...string) response {
	got := s.get(path, headers...)
	if location := got.header.Get("Location"); location != "" {
		return s.get(location, headers...)
	}
	return got
}

// parsePages requests every page that shows stored or submitted text, submits the text wherever a
// client can, and returns the parts of all these pages.
func parsePages(t *testing.T, s *testServer, user testUser, text string) map[string]bool {
	t.Helper()
	cookie, origin, browser := "Cookie: burble="+user.Token, "Origin: http://"+s.host, "Accept: text/html"
	query, path := url.QueryEscape(text), url.PathEscape(text)
	parts := map[string]bool{}
	for _, page := range []response{
		s.get("/", browser, cookie), s.get("/", browser), s.get("/r/lobby", browser, cookie), s.get("/r/lobby", browser),
		s.getRedirected("/r/"+path, browser, cookie), s.get("/nothing/"+path, browser),
		s.getRedirected("/open?room="+query, browser, cookie), s.get("/r/lobby?at="+query, browser, cookie), s.get("/r/lobby/"+path, browser),
		s.postForm("/r/lobby/messages", "text="+query+strings.Repeat("x", protocol.MaxText), browser, cookie, origin),
		s.postForm("/r/lobby/messages", "text=hi&"+query+"=x", browser, cookie, origin),
		s.postForm("/r/lobby/messages", "text="+query, browser),
		s.postForm("/session", "name="+query+strings.Repeat("x", 40)+"&next="+query, browser, cookie, origin),
		s.postForm("/session", "name="+query+strings.Repeat("x", 40)+"&next=/r/lobby", browser),
	} {
		if !strings.HasPrefix(page.header.Get("Content-Type"), "text/html") || !utf8.ValidString(page.body) {
			t.Errorf("with %q: status %d, type %s, UTF-8: %v; want a page in UTF-8", text, page.status, page.header.Get("Content-Type"), utf8.ValidString(page.body))
		}
		maps.Copy(parts, parsePage(t, page.body))
	}
	return parts
}

// entriesPerText is the number of entries that storeEverywhere stores.
const entriesPerText = 6

// storeEverywhere stores the text wherever a user can: as a message, a topic, a reply, an edit and, if
// it is valid, a name. It also stores a reaction.
func (s *testServer) storeEverywhere(text string) testUser {
	s.t.Helper()
	user := anonymous
	if got := s.postJSON("/session", `{"name":`+quote(text)+`}`); got.status == http.StatusOK {
		got.decode(s.t, &user)
	} else {
		user = s.signIn("Eve")
	}
	c := s.connect(user)
	first := c.post("lobby", text)
	topic := []rune(text)
	topic = topic[:min(len(topic), protocol.MaxTopic)]
	c.appendf(`{"type":"topic","room":"lobby","key":"%s","text":%s}`, client.NewKey(), quote(string(topic)))
	c.appendf(`{"type":"send","room":"lobby","key":"%s","text":%s,"reply_to":"%s"}`, client.NewKey(), quote("/me "+text), first)
	edited := c.post("lobby", "x")
	c.appendf(`{"type":"edit","room":"lobby","key":"%s","of":"%s","text":%s}`, client.NewKey(), edited, quote(text))
	c.appendf(`{"type":"react","room":"lobby","key":"%s","of":"%s","emoji":"👍","on":true}`, client.NewKey(), first)
	return user
}

func TestHostileTextAddsNothingToAnyPage(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	s := startOne(t)
	user := s.storeEverywhere("hello, **all** of `you` <https://example.org>")
	usual := parsePages(t, s, user, "Hello")
	for element, attributes := range hostile.AllowedElements {
		usual[element] = true
		for _, attribute := range attributes {
			usual[element+" "+attribute] = true
		}
	}
	for _, text := range injections {
		s := startOne(t)
		user := s.storeEverywhere(text)
		for part := range parsePages(t, s, user, text) {
			if !usual[part] {
				t.Errorf("%q adds <%s> to a page", text, part)
			}
		}
	}
}

func TestHostileTextStaysWithinItsFieldInEveryFormat(t *testing.T) {
	t.Parallel()
	s := startOne(t)
	c, count := s.connect(anonymous), entriesPerText*len(injections)
	c.follow("lobby", `,"html":true`)
	for _, text := range injections {
		s.storeEverywhere(text)
	}
	entries := c.read("lobby", count) // decodes each frame and checks the chain
	expectEventLines(t, s, count)
	expectJSONLines(t, s, entries[count-1].ID, count)
	expectPlainLines(t, s)
	for _, path := range []string{"/rooms", "/r/lobby/messages?html=true&limit=500", "/r/lobby/messages?limit=x", "/r/lobby/search?q=x&html=true"} {
		got := s.get(path)
		if contentType := got.header.Get("Content-Type"); !strings.HasPrefix(contentType, "application/") || got.header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: type %s, X-Content-Type-Options %q; want no type that a browser renders", path, contentType, got.header.Get("X-Content-Type-Options"))
		}
		for line := range strings.Lines(got.body) {
			if !json.Valid([]byte(line)) || !utf8.ValidString(line) {
				t.Errorf("%s: line %q, want JSON in UTF-8", path, line)
			}
		}
	}
	for _, entry := range s.history("lobby", "?html=true&limit=500").Entries {
		if entry.HTML != "" && !strings.HasPrefix(entry.Text, "/me ") { // see TestActionsAndEmoji
			hostile.ExpectHarmless(t, entry.Text, entry.HTML)
		}
	}
}

// expectEventLines checks that the lobby's server-sent events consist only of well-formed lines.
func expectEventLines(t *testing.T, s *testServer, count int) {
	t.Helper()
	events := s.openStream("/r/lobby/events?after=0-0")
	for count > 0 {
		line := events.line()
		if name, _, _ := strings.Cut(line, ": "); name != "" && name != "id" && name != "event" && name != "data" || strings.Contains(line, "\r") {
			t.Fatalf("server-sent events: line %q, want one of the fields id, event and data", line)
		}
		if line == "event: entry" {
			count--
		}
	}
}

// expectJSONLines checks that the lobby's NDJSON has one line for each entry.
func expectJSONLines(t *testing.T, s *testServer, last string, count int) {
	t.Helper()
	lines, got := s.openStream("/r/lobby/events?after=0-0", "Accept: application/x-ndjson"), 1
	lines.line() // followed
	for lines.jsonLine().ID != last {
		got++
	}
	if got != count {
		t.Errorf("NDJSON: %d entries, want %d", got, count)
	}
}

// expectPlainLines checks that no line of the lobby's plain text has a control character or could be
// mistaken for another user's message.
func expectPlainLines(t *testing.T, s *testServer) {
	t.Helper()
	plain := s.openStream("/r/lobby/events?after=0-0", "Accept: text/plain")
	format := regexp.MustCompile(`^(\d\d:\d\d \S|      )`)
	s.post(s.signIn("Ada"), "lobby", "the last")
	for line := ""; !strings.HasSuffix(line, " Ada: the last"); {
		line = plain.line()
		if !format.MatchString(line) || strings.ContainsFunc(line, func(r rune) bool { return unicode.IsControl(r) && r != '\t' || unicode.Is(unicode.Bidi_Control, r) }) {
			t.Fatalf("plain text: line %q, want the usual form without control characters", line)
		}
		if strings.HasPrefix(line, "00:00 Ada: I never") {
			t.Errorf("plain text: forged message %q", line)
		}
	}
}

func TestErrorsQuoteHostileTextAsJSON(t *testing.T) {
	t.Parallel()
	s := startOne(t)
	ada := s.signIn("Ada")
	for _, text := range injections {
		got := s.postJSON("/r/lobby/messages", fmt.Sprintf(`{%s:1}`, quote(text)), ada.bearer())
		if got.expectRefusal(t, 400, protocol.BadField, protocol.Shorten(strings.ToValidUTF8(text, "\ufffd"))); !strings.HasPrefix(got.header.Get("Content-Type"), "application/json") {
			t.Errorf("%q: the error has the type %s, want JSON", text, got.header.Get("Content-Type"))
		}
	}
}
