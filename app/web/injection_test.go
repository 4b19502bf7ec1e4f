package web

import (
	"burble/app/client"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"burble/app/protocol"
	"burble/streams/redistest"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
)

// keyForms are the keys that Burble has in Redis, as streams/README.md lists them.
var keyForms = regexp.MustCompile(`^\{\d{1,2}\}:(activity|rooms|servers|secret|` +
	`server:[0-9a-f-]{36}:rooms|user:[0-9a-f-]{36}:read|` +
	`room:[a-z0-9][a-z0-9_-]{0,63}(:(meta|amended|erased|live|present|told|sent:[0-9a-fA-F-]{36}))?)$`)

// Whatever stands where a room, a key, a cursor or an ID should, in Redis there are
// only the keys that Burble makes, and none that somebody chose.
func TestKeysInRedisAreNobodysToChoose(t *testing.T) {
	server := miniredis.RunT(t)
	s := startServer(t, &redis.UniversalOptions{Addrs: []string{server.Addr()}})
	ada := s.signIn("Ada")
	c := s.connect(ada)
	stored := c.post("lobby", "hello")
	before := len(server.Keys())
	for _, bad := range []string{
		"lobby:meta", "lobby}:x", "{0}:secret", "lobby:sent:" + aKey, "../secret", "lobby\r\nFLUSHALL\r\n", "lobby\x00", "LOBBY", "lobby ", "*", "l?bby",
		"[a-z]", strings.Repeat("a", 65), "lobby\nXADD x * a b", "$6\r\nlobby", "lobby'); redis.call('FLUSHALL') --", "\xd7\xa9", "%2e%2e", "",
	} {
		quoted, escaped := quote(bad), url.PathEscape(bad)
		for _, frame := range []string{
			`{"type":"send","room":%[1]s,"key":"` + aKey + `","text":"x"}`, `{"type":"send","room":"lobby","key":%[1]s,"text":"x"}`,
			`{"type":"send","room":"lobby","key":"` + aKey + `","text":"x","reply_to":%[1]s}`, `{"type":"follow","room":%[1]s}`,
			`{"type":"follow","room":"lobby","after":%[1]s}`, `{"type":"typing","room":%[1]s}`,
			`{"type":"edit","room":"lobby","key":"` + aKey + `","of":%[1]s,"text":"x"}`, `{"type":"read","room":%[1]s,"id":"` + stored + `"}`,
			`{"type":"read","room":"lobby","id":%[1]s}`, `{"type":"topic","room":%[1]s,"key":"` + aKey + `","text":"x"}`,
		} {
			frame = fmt.Sprintf(frame, quoted)
			c.send(frame)
			if told := await[*client.Error](c); told.Code != "bad_room" && told.Code != "bad_field" {
				t.Errorf("%s: %v", frame, told)
			}
		}
		for _, path := range []string{"/messages", "/events", "/search?q=x", ""} {
			if got := s.get("/r/" + escaped + path); got.status != 400 && got.status != 404 {
				t.Errorf("/r/%s%s: %d", escaped, path, got.status)
			}
		}
		for _, query := range []string{"before", "after", "around", "at"} {
			if got := s.get("/r/lobby/messages?" + query + "=" + url.QueryEscape(bad)); got.status != 400 && bad != "" {
				t.Errorf("%s=%q: %d", query, bad, got.status)
			}
		}
		if got := s.postJSON("/r/lobby/messages", `{"text":"x","key":`+quoted+`}`, ada.bearer()); got.status != 400 && bad != "" {
			t.Errorf("key %q: %d", bad, got.status)
		}
	}
	keys := server.Keys()
	for _, key := range keys {
		if !keyForms.MatchString(key) {
			t.Errorf("the key %q", key)
		}
	}
	if more := len(keys) - before; more > 1 { // the last post has a key of the server's making
		t.Errorf("%d keys more: %q", more, keys)
	}
}

// Rooms are not made by being asked for, and there is no more to learn about one that
// nobody listed than by reading it: whoever knows its name may.
func TestAskingForARoomNeitherMakesItNorListsIt(t *testing.T) {
	server := redistest.Start(t)
	s := startServer(t, server.Redis())
	client := server.Client()
	defer client.Close()
	s.post(s.signIn("Ada"), "lobby", "hello")
	keys := func() int64 {
		size, err := client.DBSize(t.Context()).Result()
		if err != nil {
			t.Fatal(err)
		}
		return size
	}
	before := keys()
	c := s.connect(anonymous)
	for i := range 50 {
		room := fmt.Sprint("guess-", i)
		c.follow(room, "")
		for path, status := range map[string]int{"": 200, "/messages": 200, "/search?q=x": 200, "/1-1": 404} {
			if got := s.get("/r/" + room + path); got.status != status {
				t.Errorf("%s%s: %d", room, path, got.status)
			}
		}
		live := s.openStream("/r/" + room + "/events")
		live.event()
	}
	if after := keys(); after != before {
		t.Errorf("there were %d keys, and are %d", before, after)
	}
	if list := s.get("/rooms").body; strings.Contains(list, "guess") || !strings.Contains(list, "lobby") {
		t.Errorf("listed: %s", list)
	}
}

var ourLine = regexp.MustCompile(`^time=\S+ level=(WARN|ERROR) msg=("request failed"|panic) `)

// A line of the log is one line, whatever a client put into it.
func TestLogLinesCannotBeForged(t *testing.T) {
	s := startOne(t)
	for _, format := range []string{"text", "json"} {
		var out bytes.Buffer
		level := &slog.HandlerOptions{Level: slog.LevelDebug}
		options := s.options
		options.Log = map[string]*slog.Logger{"text": slog.New(slog.NewTextHandler(&out, level)), "json": slog.New(slog.NewJSONHandler(&out, level))}[format]
		app := New(options)
		for _, text := range append(hostile, "x\ntime=2026-03-01T09:00:00Z level=ERROR msg=forged", "x\n{\"msg\":\"forged\"}", "\" msg=forged") {
			app.logError(&protocol.Error{Code: protocol.Unavailable, Cause: errors.New(text)}, "method", text, "path", text)
			app.logPanic(text)
		}
		for line := range strings.Lines(out.String()) {
			line = strings.TrimSuffix(line, "\n")
			control := unicode.IsControl
			ours := ourLine.MatchString(line)
			if format == "json" {
				ours = json.Valid([]byte(line))
				control = func(r rune) bool { return r < ' ' } // the others JSON has as they are
			}
			if !ours || strings.ContainsFunc(line, control) {
				t.Errorf("%s: the line %q", format, line)
			}
		}
		if want := 2 * (len(hostile) + 3); strings.Count(out.String(), "\n") != want {
			t.Errorf("%s: %d lines, want %d", format, strings.Count(out.String(), "\n"), want)
		}
	}
}

// Numbers of the whole, and no names: what anybody may ask for tells of nobody.
func TestMetricsErrorsAndLogTellOfNobody(t *testing.T) {
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
	broken := s.startWithoutStore()
	accident := broken.get("/r/secret-room/messages", "Cookie: burble="+ada.Token).body
	secret, err := s.store.Secret(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	tokens := []string{ada.Token, ada.Token[strings.LastIndex(ada.Token, ".")+1:], string(secret), "0123456789abcdef"}
	people := append(slices.Clone(tokens), "secret-room", "secret text", "Lovelace", ada.User.ID, "127.0.0.1")
	for what, told := range map[string]struct {
		text   string
		hidden []string
	}{
		"metrics":     {s.get("/metrics").body, people},
		"readiness":   {s.get("/readyz").body, people},
		"a refusal":   {refused, people},
		"an accident": {accident, people},
		"the log":     {s.logs.String(), append(tokens, "secret text")},
	} {
		for _, hidden := range told.hidden {
			if strings.Contains(told.text, hidden) {
				t.Errorf("%s has %q in it", what, hidden)
			}
		}
	}
}

// What may be guessed decides nothing: IDs, keys, epochs and secrets are made by
// crypto/rand, and other randomness only says when or in which order.
func TestWhatMustNotBeGuessedIsMadeByCryptoRand(t *testing.T) {
	timesOnly := map[string]string{
		"app/client/bot.go":    "when to try again, and at which server",
		"app/live/registry.go": "in which order a draining server closes its feeds",
		"streams/reader.go":    "when to try again",
		"streams/tail.go":      "when to try again",
	}
	for _, dir := range []string{"app", "streams", "views"} {
		err := filepath.WalkDir(filepath.Join("..", "..", dir), func(path string, entry fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if entry.IsDir() && slices.Contains([]string{"redistest", "bench", "chaos", "testdata", "node_modules"}, entry.Name()) {
				return fs.SkipDir
			}
			name := filepath.ToSlash(strings.TrimPrefix(path, filepath.Join("..", "..")+string(filepath.Separator)))
			if entry.IsDir() || strings.Contains(name, "test.") || strings.HasSuffix(name, "_chaos.go") || // not in a release
				!slices.Contains([]string{".go", ".lua", ".js"}, filepath.Ext(name)) {
				return nil
			}
			text, err := os.ReadFile(path)
			if err == nil && timesOnly[name] == "" && regexp.MustCompile(`math/rand|math\.random|uuid\.(SetRand|NewUUID|EnableRandPool)`).Match(text) {
				t.Errorf("%s uses randomness that can be guessed", name)
			}
			if strings.HasSuffix(name, ".js") && bytes.Contains(text, []byte("Math.random")) && name != "views/static/js/net/connection.js" { // when to come back
				t.Errorf("%s uses randomness that can be guessed", name)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
