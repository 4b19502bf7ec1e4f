package protocol

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"burble/streams"
)

// exampleKey is a key as clients make them.
const exampleKey = "9b2f6c1e-3d4a-4f6b-8a7e-1c2d3e4f5a6b"

var (
	wireUser = streams.User{ID: "11111111-1111-4111-8111-111111111111", Name: "Ada"}
	wireID   = streams.ID{Millis: 1732281600000}
	wireOf   = streams.ID{Millis: 1732281500000, Seq: 7}
)

func TestEntriesOnTheWire(t *testing.T) {
	const user = `"user":{"id":"11111111-1111-4111-8111-111111111111","name":"Ada"}`
	tests := []struct {
		name  string
		entry streams.Entry
		html  bool
		want  string
	}{
		{"a message", streams.Entry{Kind: streams.Message, N: 41, Key: exampleKey, Text: "hello"}, false,
			`{"id":"1732281600000-0","n":41,"kind":"message","key":"` + exampleKey + `",` + user + `,"text":"hello"}`},
		{"a reply", streams.Entry{Kind: streams.Message, N: 42, Key: exampleKey, Text: "hi!", ReplyTo: wireOf}, false,
			`{"id":"1732281600000-0","n":42,"kind":"message","key":"` + exampleKey + `",` + user + `,"text":"hi!","reply_to":"1732281500000-7"}`},
		{"a message for a browser", streams.Entry{Kind: streams.Message, N: 1, Text: "*<*"}, true,
			`{"id":"1732281600000-0","n":1,"kind":"message",` + user + `,"text":"*<*","html":"<p><em>&lt;</em></p>"}`},
		{"an edit", streams.Entry{Kind: streams.Edit, N: 43, Of: wireOf, Text: "hello, all"}, false,
			`{"id":"1732281600000-0","n":43,"kind":"edit","of":"1732281500000-7",` + user + `,"text":"hello, all"}`},
		{"a reaction", streams.Entry{Kind: streams.React, N: 44, Of: wireOf, Emoji: "👍", On: true}, true,
			`{"id":"1732281600000-0","n":44,"kind":"react","of":"1732281500000-7",` + user + `,"emoji":"👍","on":true}`},
		{"a reaction taken off", streams.Entry{Kind: streams.React, N: 44, Of: wireOf, Emoji: "👍"}, false,
			`{"id":"1732281600000-0","n":44,"kind":"react","of":"1732281500000-7",` + user + `,"emoji":"👍","on":false}`},
		{"a deletion", streams.Entry{Kind: streams.Delete, N: 45, Of: wireOf}, true,
			`{"id":"1732281600000-0","n":45,"kind":"delete","of":"1732281500000-7",` + user + `}`},
		{"a folded message", streams.Entry{Kind: streams.Message, N: 41, Text: "x", Edited: wireOf, Reactions: map[string][]string{"👍": {"a", "b"}, "<": {"c"}}}, false,
			`{"id":"1732281600000-0","n":41,"kind":"message",` + user + `,"text":"x","edited":"1732281500000-7","reactions":{"\u003c":["c"],"👍":["a","b"]}}`},
		{"a deleted message", streams.Entry{Kind: streams.Message, N: 41, Text: "must not show", Deleted: true, ReplyTo: wireOf}, true,
			`{"id":"1732281600000-0","n":41,"kind":"message",` + user + `,"deleted":true,"reply_to":"1732281500000-7"}`},
		{"what cannot be read", streams.Entry{Kind: streams.Unreadable, N: 3, Text: "must not show"}, true,
			`{"id":"1732281600000-0","kind":"unreadable"}`},
	}
	for _, test := range tests {
		test.entry.ID, test.entry.User = wireID, wireUser
		if got := string(AppendEntry(nil, &test.entry, test.html)); got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
}

func TestErrorsOnTheWire(t *testing.T) {
	tests := []struct {
		problem   *Error
		room, key string
		want      string
	}{
		{Errorf(BadFrame, "", "A frame is one JSON object."), "", "", `{"type":"error","code":"bad_frame","message":"A frame is one JSON object."}`},
		{Errorf(BadField, "of", `"of" is an ID.`), "lobby", exampleKey, `{"type":"error","code":"bad_field","message":"\"of\" is an ID.","room":"lobby","key":"` + exampleKey + `","field":"of"}`},
		{TooMany("messages", 1500*time.Millisecond), "lobby", "", `{"type":"error","code":"rate_limited","message":"Too many messages. Try again later.","room":"lobby","retry_after_ms":1500}`},
		{TooMany("frames", time.Microsecond), "", "", `{"type":"error","code":"rate_limited","message":"Too many frames. Try again later.","retry_after_ms":1}`},
	}
	for _, test := range tests {
		if got := string(EncodeError(test.problem, test.room, test.key)); got != test.want {
			t.Errorf("%s, want %s", got, test.want)
		}
	}
}

func TestProblemsHaveAStatusAndRetryAfterInWholeSeconds(t *testing.T) {
	for _, code := range []Code{BadFrame, BadRoom, BadField, TooLong, NotFound, NotYours, NotAllowed, RateLimited, Full, Unavailable} {
		if status := (&Error{Code: code}).HTTPStatus(); status < 400 || status > 599 {
			t.Errorf("%s: status %d", code, status)
		}
	}
	for after, want := range map[time.Duration]int{time.Millisecond: 1, time.Second: 1, 1001 * time.Millisecond: 2} {
		if got := TooMany("", after).RetrySeconds(); got != want {
			t.Errorf("%v: %d s", after, got)
		}
	}
	for _, entry := range storageErrors {
		if told := AsError(entry.err); told.Code != entry.shown.Code || told.Message == "" || !strings.HasSuffix(told.Message, ".") {
			t.Errorf("%v: told %+v", entry.err, told)
		}
	}
}

// Whatever people write, every JSON reader gets it back as it was, and no byte of
// it ends a line of a stream.
func FuzzEntryJSON(f *testing.F) {
	f.Add("hello", "Ada", "👍", uint64(1), uint64(0))
	f.Add("\x00\x1f\x7f\u2028\"\\/\r\n\t", "\xff\xfe", "\ufffd", uint64(1732281600000), ^uint64(0))
	f.Add("</script><!--", `"}`, `\u0000`, ^uint64(0), uint64(7))
	f.Fuzz(func(t *testing.T, text, name, emoji string, millis, seq uint64) {
		valid := func(text string) string { return strings.ToValidUTF8(text, "\ufffd") }
		id := streams.ID{Millis: millis, Seq: seq}
		for _, kind := range []streams.Kind{streams.Message, streams.Edit, streams.React, streams.Delete, streams.Unreadable} {
			entry := streams.Entry{
				ID: id, N: 7, Kind: kind, Key: text, User: streams.User{ID: name, Name: name}, Text: text, Emoji: emoji,
				Of: wireOf, Reactions: map[string][]string{emoji: {name}},
			}
			raw := AppendEntry(nil, &entry, kind == streams.Edit)
			if i := bytes.IndexFunc(raw, func(r rune) bool { return r < ' ' }); i >= 0 {
				t.Fatalf("control character at %d of %q", i, raw)
			}
			var got exampleEntry
			if err := json.Unmarshal(raw, &got); err != nil {
				t.Fatalf("%v in %s", err, raw)
			}
			if got.ID != id.String() || got.Kind != string(kind) {
				t.Fatalf("got %+v", got)
			}
			if kind == streams.Unreadable {
				continue
			}
			texted := kind == streams.Message || kind == streams.Edit
			if texted && got.Text != valid(text) || got.User.Name != valid(name) || got.Key != valid(text) || kind == streams.React && got.Emoji != valid(emoji) {
				t.Fatalf("%q, %q, %q came back as %+v", text, name, emoji, got)
			}
		}
	})
}
