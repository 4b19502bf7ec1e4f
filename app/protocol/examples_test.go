package protocol

import (
	"burble/app/apptest"
	"burble/streams"
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// PROTOCOL.md is the protocol, so its examples are tests: the server accepts what they
// have a client send, and sends what they have the server send, to the byte.

func TestProtocolExamples(t *testing.T) {
	missing := map[string]bool{}
	for kind := range frameTypes {
		missing[kind] = true
	}
	for kind := range encoders {
		missing[kind] = true
	}
	for _, example := range apptest.CodeBlocks(t, "PROTOCOL.md", "json") {
		var object struct{ Type, Kind string }
		json.Unmarshal([]byte(example), &object) // fails for a list, which has no type
		delete(missing, object.Type)
		switch {
		case object.Kind != "" && object.Type == "":
			checkEntry(t, example)
		case object.Type == "": // the body of a request or response: package web checks it
		case encoders[object.Type] != nil:
			if got := encoders[object.Type](t, example); got != example {
				t.Errorf("example\n%s\nserver sends\n%s", example, got)
			}
		default:
			if got, _, err := Parse([]byte(example)); err != nil || got.Type != object.Type {
				t.Errorf("server refuses %s: %v", example, err)
			}
		}
	}
	for kind := range missing {
		t.Errorf("no example of the frame %q", kind)
	}
}

// encoders has, by type, how the server encodes a frame with the values of an example.
var encoders = map[string]func(t *testing.T, example string) string{
	"hello": func(t *testing.T, example string) string {
		frame := frameOf(t, example)
		var user streams.User
		if frame.User != nil {
			user = streams.User(*frame.User)
		}
		return string(EncodeHello(user, streams.Durability(frame.Durability)))
	},
	"followed": func(t *testing.T, example string) string {
		frame := frameOf(t, example)
		var more struct {
			Last string
			N    int64
		}
		json.Unmarshal([]byte(example), &more)
		followed := &streams.Followed{State: streams.State(frame.State), At: cursorOf(t, frame.At), Last: cursorOf(t, more.Last), LastN: more.N}
		if frame.First != "" {
			followed.First = cursorOf(t, frame.First)
		}
		return string(EncodeFollowed(frame.Room, followed))
	},
	"entries": func(t *testing.T, example string) string {
		frame := frameOf(t, example)
		batch := &streams.Batch{Room: frame.Room, After: cursorOf(t, frame.After), Upto: cursorOf(t, frame.Upto)}
		for _, entry := range frame.Entries {
			batch.Entries = append(batch.Entries, entryOf(t, entry))
		}
		return string(EncodeEntries(batch, false))
	},
	"stored": func(t *testing.T, example string) string {
		frame := frameOf(t, example)
		return string(EncodeStored(frame.Room, frame.Key, idOf(t, frame.ID)))
	},
	"error": func(t *testing.T, example string) string {
		frame := frameOf(t, example)
		refusal := Errorf(Code(frame.Code), frame.Field, "%s", frame.Message)
		refusal.RetryAfter = time.Duration(frame.RetryAfterMS) * time.Millisecond
		if statuses[refusal.Code] == 0 {
			t.Errorf("there is no error code %s", refusal.Code)
		}
		return string(EncodeError(refusal, frame.Room, frame.Key))
	},
	"status": func(t *testing.T, example string) string {
		return string(EncodeStatus(frameOf(t, example).Redis == "away"))
	},
	"present": func(t *testing.T, example string) string {
		var frame struct {
			Count int
			Users []streams.User
		}
		json.Unmarshal([]byte(example), &frame)
		return string(EncodePresent(frameOf(t, example).Room, frame.Count, frame.Users))
	},
	"signal": func(t *testing.T, example string) string {
		frame := frameOf(t, example)
		var more struct{ Kind streams.SignalKind }
		json.Unmarshal([]byte(example), &more)
		signal := &streams.Signal{Kind: more.Kind, User: streams.User(*frame.User)}
		if frame.ID != "" {
			signal.ID = idOf(t, frame.ID)
		}
		return string(EncodeSignal(frame.Room, signal))
	},
	"pong": func(*testing.T, string) string { return string(EncodePong()) },
}

// checkEntry checks an example of an entry, in a frame or in a line.
func checkEntry(t *testing.T, example string) {
	t.Helper()
	var got exampleEntry
	if err := json.Unmarshal([]byte(example), &got); err != nil {
		t.Fatalf("%v in %s", err, example)
	}
	entry := entryOf(t, got)
	want := string(AppendEntry(nil, &entry, got.HTML != nil))
	if got.Cursor != "" {
		want = string(AppendEntryWithCursor(nil, &entry, cursorOf(t, got.Cursor)))
	}
	if example != want {
		t.Errorf("example\n%s\nserver sends\n%s", example, want)
	}
}

func TestProtocolListsEveryErrorCode(t *testing.T) {
	t.Parallel()
	text := apptest.ReadDoc(t, "PROTOCOL.md")
	for code := range statuses {
		if !strings.Contains(text, "\n| `"+string(code)+"` |") {
			t.Errorf("no row for the error code %s", code)
		}
	}
}

// exampleFrame is any frame that the server sends.
type exampleFrame struct {
	Type, Room, Key, ID  string
	Protocol, Durability string
	State, At, First     string
	After, Upto          string
	Redis                string
	Code, Message, Field string
	RetryAfterMS         int64 `json:"retry_after_ms"`
	User                 *struct{ ID, Name string }
	Entries              []exampleEntry
}

// exampleEntry is an entry as any surface shows it.
type exampleEntry struct {
	ID        string                     `json:"id"`
	N         int64                      `json:"n"`
	Kind      string                     `json:"kind"`
	Key       string                     `json:"key"`
	Of        string                     `json:"of"`
	User      *struct{ ID, Name string } `json:"user"`
	Text      string                     `json:"text"`
	HTML      *string                    `json:"html"`
	ReplyTo   string                     `json:"reply_to"`
	Emoji     string                     `json:"emoji"`
	On        *bool                      `json:"on"`
	Edited    string                     `json:"edited"`
	Reactions map[string][]string        `json:"reactions"`
	Deleted   bool                       `json:"deleted"`
	Cursor    string                     `json:"cursor"`
}

func frameOf(t *testing.T, text string) exampleFrame {
	t.Helper()
	var frame exampleFrame
	if err := json.Unmarshal([]byte(text), &frame); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return frame
}

func cursorOf(t *testing.T, text string) streams.Cursor {
	t.Helper()
	cursor, err := streams.ParseCursor(text)
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return cursor
}

func idOf(t *testing.T, text string) streams.ID {
	t.Helper()
	id, err := streams.ParseID(text)
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return id
}

// entryOf returns the entry that an example shows.
func entryOf(t *testing.T, got exampleEntry) streams.Entry {
	t.Helper()
	entry := streams.Entry{
		ID: idOf(t, got.ID), N: got.N, Kind: streams.Kind(got.Kind), Key: got.Key, Text: got.Text, Emoji: got.Emoji,
		On: got.On != nil && *got.On, Reactions: got.Reactions, Deleted: got.Deleted,
	}
	if got.User != nil {
		entry.User = streams.User(*got.User)
	}
	for text, id := range map[string]*streams.ID{got.ReplyTo: &entry.ReplyTo, got.Of: &entry.Of, got.Edited: &entry.Edited} {
		if text != "" {
			*id = idOf(t, text)
		}
	}
	return entry
}
