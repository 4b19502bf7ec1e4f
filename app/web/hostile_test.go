package web

import (
	"burble/app/client"
	hostiletext "burble/app/hostile"
	"burble/app/protocol"
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

	"golang.org/x/net/html"
)

// hostile is what somebody may put into every field that others are shown, so that it
// does something there: in HTML, in an attribute, an address, a template, a script, a
// server-sent event, a line of JSON, a terminal.
var hostile = []string{
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

// addresses are the attributes that a browser follows.
var addresses = map[string]bool{"href": true, "src": true, "action": true, "formaction": true, "poster": true, "data": true}

// shape is what a browser makes of a page: its elements and their attributes, which
// what people wrote must not add to. Addresses it checks at once.
func shape(t *testing.T, page string) map[string]bool {
	t.Helper()
	shape := map[string]bool{}
	tokens := html.NewTokenizer(strings.NewReader(page))
	for {
		switch kind := tokens.Next(); kind {
		case html.ErrorToken:
			return shape
		case html.CommentToken:
			shape["comment"] = true
		case html.StartTagToken, html.SelfClosingTagToken:
			token := tokens.Token()
			shape[token.Data] = true
			for _, attribute := range token.Attr {
				shape[token.Data+" "+attribute.Key] = true
				target, err := url.Parse(attribute.Val)
				if addresses[attribute.Key] && (err != nil || target.Host != "" && token.Data != "a" || !strings.Contains(" http https mailto ", " "+target.Scheme+" ") && target.Scheme != "") {
					t.Errorf("<%s %s=%q>", token.Data, attribute.Key, attribute.Val)
				}
			}
		}
	}
}

// pagesWith are all pages that show something that was written, typed or asked for.
func pagesWith(t *testing.T, s *testServer, guest testUser, text string) map[string]bool {
	t.Helper()
	cookie, origin, browser := "Cookie: burble="+guest.Token, "Origin: http://"+s.host, "Accept: text/html"
	escaped := url.QueryEscape(text)
	all := map[string]bool{}
	for _, page := range []response{
		s.get("/", browser, cookie), s.get("/", browser), s.get("/r/lobby", browser, cookie), s.get("/r/lobby", browser),
		s.get("/r/"+url.PathEscape(text), browser, cookie), s.get("/nothing/"+url.PathEscape(text), browser),
		s.get("/open?room="+escaped, browser, cookie), s.get("/r/lobby?at="+escaped, browser, cookie), s.get("/r/lobby/"+url.PathEscape(text), browser),
		s.postForm("/r/lobby/messages", "text="+escaped+strings.Repeat("x", protocol.MaxText), browser, cookie, origin),
		s.postForm("/r/lobby/messages", "text=hi&"+escaped+"=x", browser, cookie, origin),
		s.postForm("/r/lobby/messages", "text="+escaped, browser),
		s.postForm("/session", "name="+escaped+strings.Repeat("x", 40)+"&next="+escaped, browser, cookie, origin),
		s.postForm("/session", "name="+escaped+strings.Repeat("x", 40)+"&next=/r/lobby", browser),
	} {
		if !strings.HasPrefix(page.header.Get("Content-Type"), "text/html") || !utf8.ValidString(page.body) {
			t.Errorf("with %q: %d %s, UTF-8: %v", text, page.status, page.header.Get("Content-Type"), utf8.ValidString(page.body))
		}
		maps.Copy(all, shape(t, page.body))
	}
	return all
}

// written is what somebody wrote everywhere one can write.
func written(s *testServer, text string) (testUser, *testSocket) {
	s.t.Helper()
	name, _ := json.Marshal(map[string]string{"name": text})
	given := s.postJSON("/session", string(name))
	guest := anonymous
	if given.status == http.StatusOK {
		given.decode(s.t, &guest)
	} else {
		guest = s.signIn("Eve") // the name was refused, as some should be
	}
	c := s.connect(guest)
	first := c.post("lobby", text)
	c.appendf(`{"type":"topic","room":"lobby","key":"%s","text":%s}`, client.NewKey(), quote(cut(text, protocol.MaxTopic)))
	c.appendf(`{"type":"send","room":"lobby","key":"%s","text":%s,"reply_to":"%s"}`, client.NewKey(), quote("/me "+text), first)
	edited := c.post("lobby", "x")
	c.appendf(`{"type":"edit","room":"lobby","key":"%s","of":"%s","text":%s}`, client.NewKey(), edited, quote(text))
	c.appendf(`{"type":"react","room":"lobby","key":"%s","of":"%s","emoji":"👍","on":true}`, client.NewKey(), first)
	return guest, c
}

func cut(text string, most int) string {
	runes := []rune(text)
	return string(runes[:min(len(runes), most)])
}

func TestHostileTextAddsNothingToAnyPage(t *testing.T) {
	calm := startOne(t)
	guest, _ := written(calm, "hello, **all** of `you` <https://example.org>")
	usual := pagesWith(t, calm, guest, "Hello")
	for element, attributes := range hostiletext.Allowed { // what a message may become anyway
		usual[element] = true
		for _, attribute := range attributes {
			usual[element+" "+attribute] = true
		}
	}
	for _, text := range hostile {
		s := startOne(t)
		guest, _ := written(s, text)
		for part := range pagesWith(t, s, guest, text) {
			if !usual[part] {
				t.Errorf("%q adds <%s> to a page", text, part)
			}
		}
	}
}

func TestHostileTextStaysWithinItsFieldInEveryFormat(t *testing.T) {
	s := startOne(t)
	reader := s.connect(anonymous)
	reader.follow("lobby", `,"html":true`)
	for i, text := range hostile {
		written(s, text)
		reader.read("lobby", 6*(i+1)) // which parses every frame, and checks the chain
	}
	last := reader.entries["lobby"][len(reader.entries["lobby"])-1].ID
	events := s.openStream("/r/lobby/events?after=0-0")
	count := 0
	for count < 6*len(hostile) {
		line := events.line()
		if name, _, _ := strings.Cut(line, ": "); name != "" && name != "id" && name != "event" && name != "data" || strings.Contains(line, "\r") {
			t.Fatalf("SSE: the line %q", line)
		}
		if line == "event: entry" {
			count++
		}
	}

	lines := s.openStream("/r/lobby/events?after=0-0", "Accept: application/x-ndjson")
	lines.line() // followed
	for count = 1; lines.jsonLine().ID != last; count++ {
	}
	if count != 6*len(hostile) {
		t.Errorf("NDJSON: %d entries, want %d", count, 6*len(hostile))
	}

	people := s.openStream("/r/lobby/events?after=0-0", "Accept: text/plain")
	form := regexp.MustCompile(`^(\d\d:\d\d \S|      )`)
	s.post(s.signIn("Ada"), "lobby", "the last")
	for line := ""; !strings.HasSuffix(line, " Ada: the last"); {
		line = people.line()
		if !form.MatchString(line) || strings.ContainsFunc(line, func(r rune) bool { return unicode.IsControl(r) && r != '\t' }) {
			t.Fatalf("text: the line %q", line)
		}
		if strings.HasPrefix(line, "00:00 Ada") {
			t.Errorf("text: one message passes for another: %q", line)
		}
	}

	for _, path := range []string{"/rooms", "/r/lobby/messages?html=true&limit=500", "/r/lobby/messages?limit=x", "/r/lobby/search?q=x&html=true"} {
		got := s.get(path)
		if kind := got.header.Get("Content-Type"); !strings.HasPrefix(kind, "application/") || got.header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %s", path, kind)
		}
		for line := range strings.Lines(got.body) {
			if !json.Valid([]byte(line)) || !utf8.ValidString(line) {
				t.Errorf("%s: %q", path, line)
			}
		}
	}
	for _, entry := range s.history("lobby", "?html=true&limit=500").Entries {
		if entry.HTML != "" && !strings.HasPrefix(entry.Text, "/me ") { // which TestActionsAndEmoji has
			hostiletext.ExpectHarmless(t, entry.Text, entry.HTML)
		}
	}
	// And what was refused is told without being repeated as anything but text.
	for _, text := range hostile {
		got := s.postJSON("/r/lobby/messages", fmt.Sprintf(`{%s:1}`, quote(text)), s.signIn("Ada").bearer())
		if got.expectRefusal(t, 400, protocol.BadField, protocol.Clip(strings.ToValidUTF8(text, "\ufffd"))); !strings.HasPrefix(got.header.Get("Content-Type"), "application/json") {
			t.Errorf("%q: %s", text, got.header.Get("Content-Type"))
		}
	}
}
