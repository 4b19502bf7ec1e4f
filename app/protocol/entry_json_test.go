package protocol

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"burble/streams"
)

// exampleKey is a valid idempotency key.
const exampleKey = "9b2f6c1e-3d4a-4f6b-8a7e-1c2d3e4f5a6b"

// exampleFile is the ID of an upload.
const exampleFile = "K7QZ2M4XVB6TWYH3NRCDPJGS5A"

var (
	exampleUser   = streams.User{ID: "11111111-1111-4111-8111-111111111111", Name: "Ada"}
	exampleID     = streams.ID{Millis: 1732281600000}
	exampleTarget = streams.ID{Millis: 1732281500000, Seq: 7}
)

func TestEntryJSON(t *testing.T) {
	t.Parallel()
	const user = `"user":{"id":"11111111-1111-4111-8111-111111111111","name":"Ada"}`
	tests := []struct {
		name  string
		entry streams.Entry
		html  bool
		want  string
	}{
		{"a message", streams.Entry{Kind: streams.Message, Number: 41, Key: exampleKey, Text: "hello"}, false,
			`{"id":"1732281600000-0","n":41,"kind":"message","key":"` + exampleKey + `",` + user + `,"text":"hello"}`},
		{"a reply", streams.Entry{Kind: streams.Message, Number: 42, Key: exampleKey, Text: "hi!", ReplyTo: exampleTarget}, false,
			`{"id":"1732281600000-0","n":42,"kind":"message","key":"` + exampleKey + `",` + user + `,"text":"hi!","reply_to":"1732281500000-7"}`},
		{"a message with HTML", streams.Entry{Kind: streams.Message, Number: 1, Text: "*a<*"}, true,
			`{"id":"1732281600000-0","n":1,"kind":"message",` + user + `,"text":"*a<*","html":"<p><em>a&lt;</em></p>"}`},
		{"an edit", streams.Entry{Kind: streams.Edit, Number: 43, Of: exampleTarget, Text: "hello, all"}, false,
			`{"id":"1732281600000-0","n":43,"kind":"edit","of":"1732281500000-7",` + user + `,"text":"hello, all"}`},
		{"a reaction", streams.Entry{Kind: streams.React, Number: 44, Of: exampleTarget, Emoji: "👍", On: true}, true,
			`{"id":"1732281600000-0","n":44,"kind":"react","of":"1732281500000-7",` + user + `,"emoji":"👍","on":true}`},
		{"a removed reaction", streams.Entry{Kind: streams.React, Number: 44, Of: exampleTarget, Emoji: "👍"}, false,
			`{"id":"1732281600000-0","n":44,"kind":"react","of":"1732281500000-7",` + user + `,"emoji":"👍","on":false}`},
		{"a deletion", streams.Entry{Kind: streams.Delete, Number: 45, Of: exampleTarget}, true,
			`{"id":"1732281600000-0","n":45,"kind":"delete","of":"1732281500000-7",` + user + `}`},
		{"a message with a crowd's reactions", streams.Entry{Kind: streams.Message, Number: 41, Text: "x", Reactions: map[string][]string{"👍": {"a"}, "🎈": {}}, MoreUsers: map[string]int{"🎈": 12}}, false,
			`{"id":"1732281600000-0","n":41,"kind":"message",` + user + `,"text":"x","reactions":{"🎈":[],"👍":["a"]},"more_users":{"🎈":12}}`},
		{"a folded message", streams.Entry{Kind: streams.Message, Number: 41, Text: "x", Edited: exampleTarget, Reactions: map[string][]string{"👍": {"a", "b"}, "<": {"c"}}}, false,
			`{"id":"1732281600000-0","n":41,"kind":"message",` + user + `,"text":"x","edited":"1732281500000-7","reactions":{"\u003c":["c"],"👍":["a","b"]}}`},
		{"a deleted message", streams.Entry{Kind: streams.Message, Number: 41, Text: "must not show", Deleted: true, ReplyTo: exampleTarget}, true,
			`{"id":"1732281600000-0","n":41,"kind":"message",` + user + `,"deleted":true,"reply_to":"1732281500000-7"}`},
		{"a message with files", streams.Entry{Kind: streams.Message, Number: 41, Files: []streams.File{
			{ID: "A", Name: `a"b.png`, Type: "image/png", Size: 12345678901, Width: 640, Height: 480, Color: "#aabbcc", Alt: "a cat", Hash: "secret", Thumbnail: "secret", ThumbnailType: "image/jpeg"},
			{ID: "B", Name: "c.pdf", Type: "application/pdf", Size: 1, Hash: "secret"},
		}}, true,
			`{"id":"1732281600000-0","n":41,"kind":"message",` + user + `,"text":"","files":[{"id":"A","name":"a\"b.png","type":"image/png","size":12345678901,"width":640,"height":480,"color":"#aabbcc","alt":"a cat",` +
				`"url":"/f/lobby/1732281600000-0/0","thumbnail":"/f/lobby/1732281600000-0/0/thumbnail"},{"id":"B","name":"c.pdf","type":"application/pdf","size":1,"url":"/f/lobby/1732281600000-0/1"}],"html":""}`},
		{"a message with a preview", streams.Entry{Kind: streams.Message, Number: 41, Text: "x", Preview: &streams.Preview{
			URL: "https://a.org/?a=1&b=\"", Title: "T", Description: "D", Site: "S", File: &streams.File{ID: "C", Width: 3, Height: 2, Color: "#ffffff", Hash: "secret"}}}, false,
			`{"id":"1732281600000-0","n":41,"kind":"message",` + user + `,"text":"x","preview":{"url":"https://a.org/?a=1&b=\"","title":"T","description":"D","site":"S","picture":{"url":"/f/lobby/1732281600000-0/preview","width":3,"height":2,"color":"#ffffff"}}}`},
		{"a message with a card of text", streams.Entry{Kind: streams.Message, Number: 41, Text: "x", Preview: &streams.Preview{URL: "https://a.org/"}}, false,
			`{"id":"1732281600000-0","n":41,"kind":"message",` + user + `,"text":"x","preview":{"url":"https://a.org/","title":""}}`},
		{"a deleted message with files", streams.Entry{Kind: streams.Message, Number: 41, Deleted: true, Files: []streams.File{{ID: "A"}}, Preview: &streams.Preview{URL: "https://a.org/"}}, false,
			`{"id":"1732281600000-0","n":41,"kind":"message",` + user + `,"deleted":true}`},
		{"an audited ban", streams.Entry{Kind: streams.Audit, Number: 7, Action: ActionBan, Member: streams.User{ID: "b", Name: "Bob"}, Reason: "spam"}, false,
			`{"id":"1732281600000-0","n":7,"kind":"audit",` + user + `,"action":"ban","member":{"id":"b","name":"Bob"},"reason":"spam"}`},
		{"an audited mute", streams.Entry{Kind: streams.Audit, Number: 8, Action: ActionMute, Member: streams.User{ID: "b", Name: "Bob"}, Room: "lobby", MutedUntil: time.Unix(0, 0)}, false,
			`{"id":"1732281600000-0","n":8,"kind":"audit",` + user + `,"action":"mute","member":{"id":"b","name":"Bob"},"room":"lobby","muted_until":"1970-01-01T00:00:00Z"}`},
		{"an unreadable entry", streams.Entry{Kind: streams.Unreadable, Number: 3, Text: "must not show"}, true,
			`{"id":"1732281600000-0","kind":"unreadable"}`},
	}
	for _, test := range tests {
		test.entry.ID, test.entry.User = exampleID, exampleUser
		if got := string(AppendEntry(nil, "lobby", &test.entry, test.html)); got != test.want {
			t.Errorf("%s: got %s, want %s", test.name, got, test.want)
		}
	}
}

// FuzzEntryJSON checks that encoding/json decodes every encoded entry to the same values, and that no
// entry contains a line feed, which would end its line in a live read.
func FuzzEntryJSON(f *testing.F) {
	f.Add("hello", "Ada", "👍", uint64(1), uint64(0))
	f.Add("\x00\x1f\x7f\u2028\"\\/\r\n\t", "\xff\xfe", "\ufffd", uint64(1732281600000), ^uint64(0))
	f.Add("</script><!--", `"}`, `\u0000`, ^uint64(0), uint64(7))
	f.Fuzz(func(t *testing.T, text, name, emoji string, millis, seq uint64) {
		valid := func(text string) string { return strings.ToValidUTF8(text, "\ufffd") }
		id := streams.ID{Millis: millis, Seq: seq}
		for _, kind := range []streams.Kind{streams.Message, streams.Edit, streams.React, streams.Delete, streams.Unreadable} {
			entry := streams.Entry{
				ID: id, Number: 7, Kind: kind, Key: text, User: streams.User{ID: name, Name: name}, Text: text, Emoji: emoji,
				Of: exampleTarget, Reactions: map[string][]string{emoji: {name}},
				Files:   []streams.File{{ID: text, Name: name, Type: emoji, Alt: text, Color: name, Thumbnail: name, Size: int64(seq)}},
				Preview: &streams.Preview{URL: text, Title: name, Description: emoji, Site: text, File: &streams.File{Color: name}},
			}
			raw := AppendEntry(nil, name, &entry, kind == streams.Edit)
			if i := bytes.IndexFunc(raw, func(r rune) bool { return r < ' ' }); i >= 0 {
				t.Fatalf("byte %d of %q is a control character", i, raw)
			}
			var got exampleEntry
			if err := json.Unmarshal(raw, &got); err != nil {
				t.Fatalf("decode %s: %v", raw, err)
			}
			if got.ID != id.String() || got.Kind != kind {
				t.Fatalf("got ID %s and kind %s, want %s and %s", got.ID, got.Kind, id, kind)
			}
			if kind == streams.Unreadable {
				continue
			}
			hasText := kind == streams.Message || kind == streams.Edit
			if hasText && got.Text != valid(text) || got.User.Name != valid(name) || got.Key != valid(text) || kind == streams.React && got.Emoji != valid(emoji) {
				t.Fatalf("text %q, name %q, emoji %q were decoded as %+v", text, name, emoji, got)
			}
			if kind != streams.Message {
				continue
			}
			if len(got.Files) != 1 || got.Files[0].Name != valid(name) || got.Files[0].Alt != valid(text) || got.Files[0].Size != int64(seq) ||
				got.Preview == nil || got.Preview.URL != valid(text) || got.Preview.Title != valid(name) || got.Preview.Picture == nil {
				t.Fatalf("text %q, name %q were decoded as the files %+v and the preview %+v", text, name, got.Files, got.Preview)
			}
		}
	})
}
