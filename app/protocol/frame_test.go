package protocol

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"burble/app/markup"
	"burble/streams"

	"github.com/google/uuid"
)

func TestParseValidFrames(t *testing.T) {
	t.Parallel()
	id, cursor := streams.ID{Millis: 1732281600000, Seq: 1}, streams.Cursor{ID: streams.ID{Millis: 5, Seq: 6}, Epoch: "Ab1"}
	newest := streams.Newest(50)
	for text, want := range map[string]Frame{
		`{"type":"follow","room":"lobby"}`:                            {Type: "follow", Room: "lobby", From: newest},
		`{"type":"follow","room":"lobby","last":0}`:                   {Type: "follow", Room: "lobby", From: streams.Newest(0)},
		`{"type":"follow","room":"lobby","last":500,"html":true}`:     {Type: "follow", Room: "lobby", From: streams.Newest(500), Format: BatchFormat{HTML: true}},
		`{"type":"follow","room":"lobby","last":0,"watch":true}`:      {Type: "follow", Room: "lobby", From: streams.Newest(0), Watch: true},
		`{"html":false,"after":"5-6@Ab1","room":"0","type":"follow"}`: {Type: "follow", Room: "0", From: streams.After(cursor)},
		`{"type":"follow","room":"lobby","after":"0-0"}`:              {Type: "follow", Room: "lobby", From: streams.After(streams.Cursor{})},
		` {"type" : "unfollow" , "room" : "a_-9" } `:                  {Type: "unfollow", Room: "a_-9", From: newest},
		`{"type":"send","room":"lobby","key":"` + exampleKey + `","text":"\u00e9\n"}`: {
			Type: "send", Room: "lobby", Key: exampleKey, Text: "é\n", From: newest},
		`{"type":"send","room":"lobby","key":"` + exampleKey + `","text":"x","reply_to":"1732281600000-1"}`: {
			Type: "send", Room: "lobby", Key: exampleKey, Text: "x", ReplyTo: id, From: newest},
		`{"type":"send","room":"lobby","key":"` + exampleKey + `","text":"x","files":[{"id":"` + exampleFile + `","alt":" a\ncat "}]}`: {
			Type: "send", Room: "lobby", Key: exampleKey, Text: "x", Files: []streams.File{{ID: exampleFile, Alt: "a cat"}}, From: newest},
		`{"type":"send","room":"lobby","key":"` + exampleKey + `","files":[{"id":"` + exampleFile + `"}]}`: {
			Type: "send", Room: "lobby", Key: exampleKey, Files: []streams.File{{ID: exampleFile}}, From: newest},
		`{"type":"send","room":"lobby","key":"` + exampleKey + `","text":" \n","files":[{"id":"` + exampleFile + `"}]}`: {
			Type: "send", Room: "lobby", Key: exampleKey, Files: []streams.File{{ID: exampleFile}}, From: newest},
		`{"type":"edit","room":"lobby","key":"` + exampleKey + `","of":"1732281600000-1","text":"x"}`: {
			Type: "edit", Room: "lobby", Key: exampleKey, Target: id, Text: "x", From: newest},
		`{"type":"edit","room":"lobby","key":"` + exampleKey + `","of":"1732281600000-1","text":"a\r\n\rb\r\n"}`: {
			Type: "edit", Room: "lobby", Key: exampleKey, Target: id, Text: "a\n\rb\n", From: newest},
		`{"type":"delete","room":"lobby","key":"` + exampleKey + `","of":"1732281600000-1"}`: {
			Type: "delete", Room: "lobby", Key: exampleKey, Target: id, From: newest},
		`{"type":"react","room":"lobby","key":"` + exampleKey + `","of":"1732281600000-1","emoji":"👍🏽","on":true}`: {
			Type: "react", Room: "lobby", Key: exampleKey, Target: id, Emoji: "👍🏽", On: true, From: newest},
	} {
		got, err := Parse([]byte(text))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v, %v, want %+v", text, got, err, want)
		}
	}
}

func TestParseRefusesFiles(t *testing.T) {
	t.Parallel()
	file := `{"id":"` + exampleFile + `"}`
	another := func(last string) string { return `{"id":"` + exampleFile[:25] + last + `"}` }
	var eleven []string
	for _, last := range strings.Split("ABCDEFGHIJK", "") {
		eleven = append(eleven, another(last))
	}
	for files, want := range map[string]Code{
		`null`: BadField, `{}`: BadField, `"x"`: BadField, `[1]`: BadField, `[null]`: BadField, `[[]]`: BadField, `[{}]`: BadField, `[]`: BadField,
		`[{"id":1}]`: BadField, `[{"id":"x"}]`: BadField, `[{"id":"` + strings.ToLower(exampleFile) + `"}]`: BadField,
		`[{"id":"` + exampleFile + `","alt":null}]`: BadField, `[{"id":"` + exampleFile + `","name":"x"}]`: BadField, `[{"ID":"` + exampleFile + `"}]`: BadField,
		`[` + file + `,` + file + `]`:                                             BadField,
		`[` + strings.Join(eleven, ",") + `]`:                                     BadField,
		`[{"id":"` + exampleFile + `","alt":"` + strings.Repeat("é", 501) + `"}]`: TooLong,
	} {
		frame := `{"type":"send","room":"lobby","key":"` + exampleKey + `","files":` + files + `}`
		got, err := Parse([]byte(frame))
		refused, wantField := AsError(err), "files"
		if files == "[]" {
			wantField = "text"
		}
		if err == nil || refused.Code != want || refused.Field != wantField || got.Key != exampleKey {
			t.Errorf("%s: got %+v, %v, want %s in the field %q", files, got, err, want, wantField)
		}
	}
	ten := `{"type":"send","room":"lobby","key":"` + exampleKey + `","files":[` + strings.Join(eleven[:10], ",") + `]}`
	if got, err := Parse([]byte(ten)); err != nil || len(got.Files) != 10 {
		t.Errorf("got %d files, %v, want 10", len(got.Files), err)
	}
	for _, kind := range []string{"edit", "delete", "react", "topic", "follow"} {
		frame := `{"type":"` + kind + `","room":"lobby","key":"` + exampleKey + `","of":"1-1","text":"x","emoji":"👍","on":true,"files":[` + file + `]}`
		if _, err := Parse([]byte(frame)); err == nil {
			t.Errorf("files were accepted in a frame of type %q, want an error", kind)
		}
	}
}

// FuzzParseFrame checks that Parse returns either an error that the server can send, or a frame within
// all limits.
func FuzzParseFrame(f *testing.F) {
	for _, seed := range []string{
		``, `{}`, `null`, `[]`, `{"type":"follow","room":"lobby","after":"1732281600000-0@Ab1"}`,
		`{"type":"follow","room":"lobby","last":50,"html":true}`, `{"type":"unfollow","room":"lobby"}`,
		`{"type":"send","room":"lobby","key":"` + exampleKey + `","text":"hi","reply_to":"1-1"}`,
		`{"type":"send","room":"lobby","key":"` + exampleKey + `","text":"","files":[{"id":"` + exampleFile + `","alt":"a cat"}]}`,
		`{"type":"edit","room":"lobby","key":"` + exampleKey + `","of":"1-1","text":"hi"}`,
		`{"type":"delete","room":"lobby","key":"` + exampleKey + `","of":"1-1"}`,
		`{"type":"react","room":"lobby","key":"` + exampleKey + `","of":"1-1","emoji":"👍","on":false}`,
		`{"type":"ping"}`,
		`{"type":"send","type":"follow","room":"a","room":null,"last":1e9}`, "{\"type\":\"\xff\"}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := Parse(data)
		if errors.Is(err, ErrNotJSON) == json.Valid(data) {
			t.Fatalf("got error %v, want ErrNotJSON for invalid JSON only (valid: %v)", err, json.Valid(data))
		}
		if err == nil {
			expectWithinLimits(t, got)
			return
		}
		if reply := EncodeError(AsError(err), got.Room, got.Key); !json.Valid(reply) || len(reply) > 2000 {
			t.Fatalf("got error frame %s, want valid JSON of at most 2,000 bytes", reply)
		}
	})
}

// expectWithinLimits fails the test unless all required fields of the frame are valid.
func expectWithinLimits(t *testing.T, got Frame) {
	t.Helper()
	expected, known := frameTypes[got.Type]
	if !known {
		t.Fatalf("type %q, want a known type", got.Type)
	}
	if len(got.Files) > MaxFiles || len(got.Files) > 0 && got.Type != "send" {
		t.Fatalf("got %d files in a frame of type %q, want at most %d, and only in \"send\"", len(got.Files), got.Type, MaxFiles)
	}
	for _, file := range got.Files {
		if !streams.IsFileID(file.ID) || utf8.RuneCountInString(file.Alt) > MaxAlt || !utf8.ValidString(file.Alt) {
			t.Fatalf("got file %+v, want a valid ID and at most %d characters of \"alt\"", file, MaxAlt)
		}
	}
	required := expected.required
	if got.Type == "send" && len(got.Files) == 0 {
		required = append([]string{"text"}, required...)
	}
	for _, name := range required {
		switch {
		case name == "room" && streams.CheckRoom(got.Room) != nil:
			t.Fatalf("room %q, want a valid room", got.Room)
		case name == "key" && (len(got.Key) != 36 || uuid.Validate(got.Key) != nil):
			t.Fatalf("key %q, want a UUID", got.Key)
		case name == "of" && got.Target.IsZero():
			t.Fatal("got the zero ID for \"of\"")
		case name == "text" && (strings.TrimSpace(got.Text) == "" || utf8.RuneCountInString(got.Text) > MaxText || !utf8.ValidString(got.Text)):
			t.Fatalf("text %q, want 1 to %d characters", got.Text, MaxText)
		case name == "emoji" && (len(got.Emoji) > markup.MaxEmoji || !isEmoji(got.Emoji)):
			t.Fatalf("emoji %q, want one emoji", got.Emoji)
		}
	}
}
