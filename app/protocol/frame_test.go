package protocol

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"burble/app/markup"
	"burble/streams"

	"github.com/google/uuid"
)

func TestParseFrameReadsEveryType(t *testing.T) {
	id, cursor := streams.ID{Millis: 1732281600000, Seq: 1}, streams.Cursor{ID: streams.ID{Millis: 5, Seq: 6}, Epoch: "Ab1"}
	newest := streams.Newest(50)
	for text, want := range map[string]Frame{
		`{"type":"follow","room":"lobby"}`:                            {Type: "follow", Room: "lobby", From: newest},
		`{"type":"follow","room":"lobby","last":0}`:                   {Type: "follow", Room: "lobby", From: streams.Newest(0)},
		`{"type":"follow","room":"lobby","last":500,"html":true}`:     {Type: "follow", Room: "lobby", From: streams.Newest(500), Form: Form{HTML: true}},
		`{"type":"follow","room":"lobby","last":0,"watch":true}`:      {Type: "follow", Room: "lobby", From: streams.Newest(0), Watch: true},
		`{"html":false,"after":"5-6@Ab1","room":"0","type":"follow"}`: {Type: "follow", Room: "0", From: streams.After(cursor)},
		`{"type":"follow","room":"lobby","after":"0-0"}`:              {Type: "follow", Room: "lobby", From: streams.After(streams.Cursor{})},
		` {"type" : "unfollow" , "room" : "a_-9" } `:                  {Type: "unfollow", Room: "a_-9", From: newest},
		`{"type":"send","room":"lobby","key":"` + exampleKey + `","text":"\u00e9\n"}`: {
			Type: "send", Room: "lobby", Key: exampleKey, Text: "é\n", From: newest},
		`{"type":"send","room":"lobby","key":"` + exampleKey + `","text":"x","reply_to":"1732281600000-1"}`: {
			Type: "send", Room: "lobby", Key: exampleKey, Text: "x", ReplyTo: id, From: newest},
		`{"type":"edit","room":"lobby","key":"` + exampleKey + `","of":"1732281600000-1","text":"x"}`: {
			Type: "edit", Room: "lobby", Key: exampleKey, Of: id, Text: "x", From: newest},
		`{"type":"delete","room":"lobby","key":"` + exampleKey + `","of":"1732281600000-1"}`: {
			Type: "delete", Room: "lobby", Key: exampleKey, Of: id, From: newest},
		`{"type":"react","room":"lobby","key":"` + exampleKey + `","of":"1732281600000-1","emoji":"👍🏽","on":true}`: {
			Type: "react", Room: "lobby", Key: exampleKey, Of: id, Emoji: "👍🏽", On: true, From: newest},
	} {
		got, notJSON, err := Parse([]byte(text))
		if err != nil || notJSON || got != want {
			t.Errorf("%s: got %+v, %v, want %+v", text, got, err, want)
		}
	}
}

func TestTextHasSomethingToSee(t *testing.T) {
	for text, want := range map[string]bool{
		"x": true, " x ": true, "\u200bx": true, "👍": true, "é": true, "你": true, "\u0301": true, "\ue000": true, "\U0001FAFF": true, "\ufffd": true, ".": true,
		"": false, " ": false, "\n\t": false, "\u00a0": false, "\u200b": false, "\u200d\u2060\ufeff": false, "\u3164": false, "\u115f": false,
		"\ufe0f": false, "\u2800": false, "\u202e \u2028": false, "\u00ad": false, "\x00\x7f": false, "\U000e0041": false,
	} {
		if _, err := CheckText(text); (err == nil) != want {
			t.Errorf("%q: %v, want it taken: %v", text, err, want)
		}
	}
	if _, err := CheckText(" "); !strings.Contains(err.Error(), "visible") {
		t.Errorf("blank: %v", err)
	}
}

func TestReactionsAreEmoji(t *testing.T) {
	for emoji, want := range map[string]bool{
		"👍": true, "👍🏽": true, "❤️": true, "👩‍👩‍👧‍👦": true, "🏴󠁧󠁢󠁳󠁣󠁴󠁿": true, "🇺🇳": true, "1️⃣": true, "#⃣": true, "ℹ️": true, "‼️": true,
		"™": true, "▪": true, "\U0001FAE9": true, "🧑🏻‍❤️‍💋‍🧑🏼": true,
		"": false, "1": false, "#*": false, "a": false, "é": false, "hello": false, "👍 👎": false, "👍\n": false, "\u200d": false,
		"👍\u202e": false, "👍\u200b": false, "<b>": false, "𝐇𝐢": false, "\ufffd": false, "ا": false, "👍a": false, "\u0301": false,
		strings.Repeat("👍", 2): false, "🇺🇳🇺🇳": false, "🇺": false, "🏽": false, "👍\u200d": false, "\u200d👍": false, "\u20e3": false,
		"👍\ufe0e": false, "⭐\ufe0f\ufe0f": false, "👍1": false, "1️⃣1️⃣": false, "👩‍": false,
	} {
		if _, err := checkEmoji(emoji); (err == nil) != want {
			t.Errorf("%q: %v, want it taken: %v", emoji, err, want)
		}
	}
}

// Frames are outside bytes: whatever comes, parseFrame says what is wrong with it,
// or returns a frame within every bound.
func FuzzParseFrame(f *testing.F) {
	for _, seed := range []string{
		``, `{}`, `null`, `[]`, `{"type":"follow","room":"lobby","after":"1732281600000-0@Ab1"}`,
		`{"type":"follow","room":"lobby","last":50,"html":true}`, `{"type":"unfollow","room":"lobby"}`,
		`{"type":"send","room":"lobby","key":"` + exampleKey + `","text":"hi","reply_to":"1-1"}`,
		`{"type":"edit","room":"lobby","key":"` + exampleKey + `","of":"1-1","text":"hi"}`,
		`{"type":"delete","room":"lobby","key":"` + exampleKey + `","of":"1-1"}`,
		`{"type":"react","room":"lobby","key":"` + exampleKey + `","of":"1-1","emoji":"👍","on":false}`,
		`{"type":"send","type":"follow","room":"a","room":null,"last":1e9}`, "{\"type\":\"\xff\"}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, notJSON, err := Parse(data)
		if notJSON == json.Valid(data) {
			t.Fatalf("not JSON: %v", notJSON)
		}
		if err != nil {
			told := EncodeError(AsError(err), got.Room, got.Key)
			if !json.Valid(told) || len(told) > 2000 {
				t.Fatalf("told %s", told)
			}
			return
		}
		expectBounds(t, got)
	})
}

func expectBounds(t *testing.T, got Frame) {
	t.Helper()
	expected, known := frameTypes[got.Type]
	if !known || streams.CheckRoom(got.Room) != nil {
		t.Fatalf("type %q, room %q", got.Type, got.Room)
	}
	for _, name := range expected.must {
		switch {
		case name == "key" && (len(got.Key) != 36 || uuid.Validate(got.Key) != nil):
			t.Fatalf("key %q", got.Key)
		case name == "of" && got.Of.IsZero():
			t.Fatal("of nothing")
		case name == "text" && (strings.TrimSpace(got.Text) == "" || utf8.RuneCountInString(got.Text) > MaxText || !utf8.ValidString(got.Text)):
			t.Fatalf("text %q", got.Text)
		case name == "emoji" && (len(got.Emoji) > markup.MaxEmoji || !isEmoji(got.Emoji)):
			t.Fatalf("emoji %q", got.Emoji)
		}
	}
}
