package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"burble/app/client"
	"burble/app/protocol"
	"burble/streams/conns"
	"burble/streams/redistest"

	"github.com/alicebob/miniredis/v2"
)

// redisKey matches Burble's keys in Redis, which streams/README.md lists.
var redisKey = regexp.MustCompile(`^\{\d{1,2}\}:(activity|rooms|servers|secret|` +
	`server:[0-9a-f-]{36}:rooms|user:[0-9a-f-]{36}:read|` +
	`room:[a-z0-9][a-z0-9_-]{0,63}(:(meta|amended|erased|live|present|told|sent:[0-9a-fA-F-]{36}))?)$`)

func TestClientsCannotChooseRedisKeys(t *testing.T) {
	t.Parallel()
	database := miniredis.RunT(t)
	s := startServer(t, &conns.Address{Addrs: []string{database.Addr()}})
	ada := s.signIn("Ada")
	c := s.connect(ada)
	stored, key := c.post("lobby", "hello"), client.NewKey()
	before := len(database.Keys())
	respelled := map[string]string{"LOBBY": "/r/lobby", "\xd7\xa9": "/r/sh"}
	for _, invalid := range []string{
		"lobby:meta", "lobby}:x", "{0}:secret", "lobby:sent:" + key, "../secret", "lobby\r\nFLUSHALL\r\n", "lobby\x00", "LOBBY", "lobby ", "*", "l?bby",
		"[a-z]", strings.Repeat("a", 65), "lobby\nXADD x * a b", "$6\r\nlobby", "lobby'); redis.call('FLUSHALL') --", "\xd7\xa9", "%2e%2e", "",
	} {
		quoted, escaped := quote(invalid), url.PathEscape(invalid)
		for _, frame := range []string{
			`{"type":"send","room":%[1]s,"key":"%[2]s","text":"x"}`, `{"type":"send","room":"lobby","key":%[1]s,"text":"x"}`,
			`{"type":"send","room":"lobby","key":"%[2]s","text":"x","reply_to":%[1]s}`, `{"type":"follow","room":%[1]s}`,
			`{"type":"follow","room":"lobby","after":%[1]s}`, `{"type":"typing","room":%[1]s}`,
			`{"type":"edit","room":"lobby","key":"%[2]s","of":%[1]s,"text":"x"}`, `{"type":"read","room":%[1]s,"id":"%[3]s"}`,
			`{"type":"read","room":"lobby","id":%[1]s}`, `{"type":"topic","room":%[1]s,"key":"%[2]s","text":"x"}`,
		} {
			frame = fmt.Sprintf(frame, quoted, key, stored)
			c.send(frame)
			if refused := await[*client.Error](c); refused.Code != "bad_room" && refused.Code != "bad_field" {
				t.Errorf("%s: got %v, want bad_room or bad_field", frame, refused)
			}
		}
		for _, path := range []string{"/messages", "/events", "/search?q=x", ""} {
			if location, ok := respelled[invalid]; ok && path == "" {
				if got := s.get("/r/" + escaped); got.status != 301 || got.header.Get("Location") != location {
					t.Errorf("/r/%s: status %d, Location %q; want 301 and %q", escaped, got.status, got.header.Get("Location"), location)
				}
			} else if got := s.get("/r/" + escaped + path); got.status != 400 && got.status != 404 {
				t.Errorf("/r/%s%s: status %d, want 400 or 404", escaped, path, got.status)
			}
		}
		for _, query := range []string{"before", "after", "around", "at"} {
			if got := s.get("/r/lobby/messages?" + query + "=" + url.QueryEscape(invalid)); got.status != 400 && invalid != "" {
				t.Errorf("%s=%q: status %d, want 400", query, invalid, got.status)
			}
		}
		if got := s.postJSON("/r/lobby/messages", `{"text":"x","key":`+quoted+`}`, ada.bearer()); got.status != 400 && invalid != "" {
			t.Errorf("key %q: status %d, want 400", invalid, got.status)
		}
	}
	keys := database.Keys()
	for _, key := range keys {
		if !redisKey.MatchString(key) {
			t.Errorf("unexpected key %q", key)
		}
	}
	if added := len(keys) - before; added > 1 { // the server replaces an empty key
		t.Errorf("%d keys were added, want at most 1: %q", added, keys)
	}
}

// Anyone who knows the name of a public room may read it, so reading must neither create a room nor list one.
func TestReadingARoomNeitherCreatesNorListsIt(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	server := redistest.Start(t)
	s := startServer(t, server.Redis())
	database := server.Client()
	defer database.Close()
	s.post(s.signIn("Ada"), "lobby", "hello")
	before := database.Keys(t.Context(), "*").Val()
	c := s.connect(anonymous)
	for i := range 50 {
		room := fmt.Sprint("guess-", i)
		c.follow(room, "")
		for path, status := range map[string]int{"": 200, "/messages": 200, "/search?q=x": 200, "/1-1": 404} {
			if got := s.get("/r/" + room + path); got.status != status {
				t.Errorf("%s%s: status %d, want %d", room, path, got.status, status)
			}
		}
		s.openStream("/r/" + room + "/events").event()
	}
	for _, key := range database.Keys(t.Context(), "*").Val() {
		if !slices.Contains(before, key) {
			t.Errorf("reading created the key %s", key)
		}
	}
	if list := s.get("/rooms").body; strings.Contains(list, "guess") || !strings.Contains(list, "lobby") {
		t.Errorf("the list of rooms is %s, want only the lobby", list)
	}
}

// logLine matches a line that this test logs on purpose.
var logLine = regexp.MustCompile(`^time=\S+ level=(WARN|ERROR) msg=("request failed"|panic) `)

func TestLogLinesCannotBeForged(t *testing.T) {
	t.Parallel()
	s := startOne(t)
	texts := slices.Concat(injections, []string{"x\ntime=2026-03-01T09:00:00Z level=ERROR msg=forged", "x\n{\"msg\":\"forged\"}", "\" msg=forged"})
	level := &slog.HandlerOptions{Level: slog.LevelDebug}
	var text, jsonText bytes.Buffer
	for _, format := range []struct {
		name       string
		out        *bytes.Buffer
		handler    slog.Handler
		isLine     func(string) bool
		mustEscape func(rune) bool
	}{
		{"text", &text, slog.NewTextHandler(&text, level), logLine.MatchString, unicode.IsControl},
		{"JSON", &jsonText, slog.NewJSONHandler(&jsonText, level), func(line string) bool { return json.Valid([]byte(line)) }, func(r rune) bool { return r < ' ' }},
	} {
		options := s.options
		options.Log = slog.New(format.handler)
		server := New(options)
		for _, text := range texts {
			server.logError(&protocol.Error{Code: protocol.Unavailable, Cause: errors.New(text)}, "method", text, "path", text)
			server.logPanic(text)
		}
		lines := strings.Split(strings.TrimSuffix(format.out.String(), "\n"), "\n")
		for _, line := range lines {
			if !format.isLine(line) || strings.ContainsFunc(line, format.mustEscape) {
				t.Errorf("%s: line %q is malformed, or has a character that must be escaped", format.name, line)
			}
		}
		if len(lines) != 2*len(texts) {
			t.Errorf("%s: %d lines, want %d", format.name, len(lines), 2*len(texts))
		}
	}
}

func TestMetricsErrorsAndLogRevealNoSecrets(t *testing.T) {
	t.Parallel()
	s := startOne(t)
	ada := s.signIn("Ada Lovelace")
	c := s.connect(ada)
	c.follow("secret-room", "")
	c.post("secret-room", "a secret text")
	c.send(`{"type":"send","room":"secret-room","key":"x","text":"a secret text"}`)
	await[*client.Error](c)
	s.openStream("/r/secret-room/events").event()
	s.postForm("/r/secret-room/messages", "text=a+secret+text&x=y", ada.bearer(), "Accept: text/html")
	s.get("/r/secret-room/messages", "Authorization: Bearer "+ada.Token+"x", "Cookie: burble="+ada.Token)
	refused := s.get("/r/secret-room/messages?limit=x", "Cookie: burble="+ada.Token).body
	failed := s.startWithoutStore().get("/r/secret-room/messages", "Cookie: burble="+ada.Token).body
	secret, err := s.store.Secret(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	secrets := []string{ada.Token, ada.Token[strings.LastIndex(ada.Token, ".")+1:], string(secret), "0123456789abcdef"}
	personal := append(slices.Clone(secrets), "secret-room", "secret text", "Lovelace", ada.ID, "127.0.0.1")
	for name, shown := range map[string]struct {
		text   string
		hidden []string
	}{
		"metrics":          {s.get("/metrics").body, personal},
		"readiness":        {s.get("/readyz").body, personal},
		"a refusal":        {refused, personal},
		"a server's bug":   {failed, personal},
		"the server's log": {s.logs.String(), append(secrets, "secret text")},
	} {
		for _, hidden := range shown.hidden {
			if strings.Contains(shown.text, hidden) {
				t.Errorf("%s contains %q", name, hidden)
			}
		}
	}
}
