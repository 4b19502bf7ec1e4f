package protocol

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"burble/app/apptest"
	"burble/app/rawjson"
	"burble/streams"
)

// TestProtocolExamples checks the examples in PROTOCOL.md. The server must accept each client frame,
// and must encode each server frame to the same bytes.
func TestProtocolExamples(t *testing.T) {
	t.Parallel()
	missing := map[string]bool{}
	for kind := range frameTypes {
		missing[kind] = true
	}
	for kind := range encoders {
		missing[kind] = true
	}
	for _, example := range apptest.CodeBlocks(t, "PROTOCOL.md", "json") {
		var object struct{ Type, Kind string }
		json.Unmarshal([]byte(example), &object) // fails for arrays, which have no type
		delete(missing, object.Type)
		switch {
		case strings.HasPrefix(example, `{"kind":`): // a new room
			raw, _ := rawjson.Members([]byte(example))
			if _, err := ParseNewRoom(raw); err != nil {
				t.Errorf("example %s was refused: %v", example, err)
			}
		case object.Kind != "" && object.Type == "":
			checkEntry(t, example)
		case object.Type == "" || strings.Contains(object.Type, "/"): // a request or response body, which package web checks
		case encoders[object.Type] != nil:
			if got := string(encoders[object.Type](t, example)); got != example {
				t.Errorf("encoded\n%s\nwant the example\n%s", got, example)
			}
		default:
			if got, err := Parse([]byte(example)); err != nil || got.Type != object.Type {
				t.Errorf("example %s was refused: %v", example, err)
			}
		}
	}
	for kind := range missing {
		t.Errorf("PROTOCOL.md has no example of the frame %q", kind)
	}
}

// encoders maps each type of server frame to a function that decodes an example and encodes it again
// as the server does.
var encoders = map[string]func(t *testing.T, example string) []byte{
	"hello": func(t *testing.T, example string) []byte {
		frame := decode[Hello](t, example)
		if frame.User == nil {
			return EncodeHello(streams.User{}, frame.Durability, frame.Limits.Files, time.UnixMilli(frame.Time))
		}
		return EncodeHello(streams.User(*frame.User), frame.Durability, frame.Limits.Files, time.UnixMilli(frame.Time))
	},
	"followed": func(t *testing.T, example string) []byte {
		frame := decode[exampleFollowed](t, example)
		followed := &streams.Followed{State: frame.State, At: parseCursor(t, frame.At), Last: parseCursor(t, frame.Last), LastNumber: frame.N}
		if frame.First != "" {
			followed.First = parseCursor(t, frame.First)
		}
		return EncodeFollowed(frame.Room, followed)
	},
	"entries": func(t *testing.T, example string) []byte {
		frame := decode[exampleEntries](t, example)
		batch := &streams.Batch{Room: frame.Room, After: parseCursor(t, frame.After), Upto: parseCursor(t, frame.Upto)}
		for _, entry := range frame.Entries {
			batch.Entries = append(batch.Entries, entry.entry(t))
		}
		return EncodeEntries(batch, false)
	},
	"stored": func(t *testing.T, example string) []byte {
		frame := decode[Stored](t, example)
		return EncodeStored(frame.Room, frame.Key, parseID(t, frame.ID))
	},
	"error": func(t *testing.T, example string) []byte {
		frame := decode[ErrorFrame](t, example)
		if statuses[frame.Code] == 0 {
			t.Errorf("unknown error code %s", frame.Code)
		}
		refused := Errorf(frame.Code, frame.Field, "%s", frame.Message)
		refused.RetryAfter = time.Duration(frame.RetryAfterMS) * time.Millisecond
		return EncodeError(refused, frame.Room, frame.Key)
	},
	"status": func(t *testing.T, example string) []byte {
		return EncodeStatus(decode[Status](t, example).Redis == "away")
	},
	"present": func(t *testing.T, example string) []byte {
		frame := decode[Present](t, example)
		var people []streams.User
		for _, user := range frame.Users {
			people = append(people, streams.User(user))
		}
		return EncodePresent(frame.Room, frame.Count, people)
	},
	"signal": func(t *testing.T, example string) []byte {
		frame := decode[Signal](t, example)
		signal := &streams.Signal{Kind: frame.Kind, User: streams.User(frame.User)}
		if frame.ID != "" {
			signal.ID = parseID(t, frame.ID)
		}
		return EncodeSignal(frame.Room, signal)
	},
	"closed": func(t *testing.T, example string) []byte {
		frame := decode[Closed](t, example)
		return EncodeClosed(frame.Room, frame.Code)
	},
	"pong": func(*testing.T, string) []byte { return EncodePong() },
}

// checkEntry checks an example of an entry outside a frame.
func checkEntry(t *testing.T, example string) {
	t.Helper()
	got := decode[exampleEntry](t, example)
	entry := got.entry(t)
	want := string(AppendEntry(nil, "lobby", &entry, got.HTML != ""))
	if got.Matches != nil {
		want = string(AppendMatch(nil, "lobby", &entry, nil, got.Matches))
	}
	if got.Cursor != "" {
		want = string(AppendEntryWithCursor(nil, "lobby", &entry, parseCursor(t, got.Cursor)))
	}
	if example != want {
		t.Errorf("example\n%s\nis encoded as\n%s", example, want)
	}
}

func TestProtocolListsEveryErrorCode(t *testing.T) {
	t.Parallel()
	text := apptest.ReadDoc(t, "PROTOCOL.md")
	for code := range statuses {
		if !strings.Contains(text, "\n| `"+string(code)+"` |") {
			t.Errorf("PROTOCOL.md has no row for the error code %s", code)
		}
	}
}

// exampleFollowed is a "followed" frame.
type exampleFollowed struct {
	Type, Room string
	State      streams.State
	At, First  string
	Last       string
	N          int64
}

// exampleEntries is an "entries" frame.
type exampleEntries struct {
	Type, Room  string
	After, Upto string
	Entries     []exampleEntry
}

// exampleEntry is an entry with the fields of all interfaces.
type exampleEntry struct {
	ID        string              `json:"id"`
	N         int64               `json:"n"`
	Kind      streams.Kind        `json:"kind"`
	Key       string              `json:"key"`
	Of        string              `json:"of"`
	User      User                `json:"user"`
	Text      string              `json:"text"`
	HTML      string              `json:"html"`
	ReplyTo   string              `json:"reply_to"`
	Emoji     string              `json:"emoji"`
	On        bool                `json:"on"`
	Edited    string              `json:"edited"`
	Reactions map[string][]string `json:"reactions"`
	Deleted   bool                `json:"deleted"`
	Matches   [][2]int            `json:"matches"`
	Mentions  []string            `json:"mentions"`
	Cursor    string              `json:"cursor"`

	Files []struct {
		streams.File
		URL string
	} `json:"files"`
	Preview *struct {
		streams.Preview
		Picture *struct {
			streams.File
			URL string
		}
	} `json:"preview"`

	Member   User         `json:"member"`
	Role     streams.Role `json:"role"`
	Reason   string       `json:"reason"`
	Action   string       `json:"action"`
	Title    string       `json:"title"`
	Archived bool         `json:"archived"`
	Locked   bool         `json:"locked"`
}

// decode decodes an example, which must not have fields that T lacks.
func decode[T any](t *testing.T, example string) (decoded T) {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(example))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&decoded); err != nil {
		t.Fatalf("decode %s: %v", example, err)
	}
	return decoded
}

func parseCursor(t *testing.T, text string) streams.Cursor {
	t.Helper()
	cursor, err := streams.ParseCursor(text)
	if err != nil {
		t.Fatalf("parse cursor %q: %v", text, err)
	}
	return cursor
}

func parseID(t *testing.T, text string) streams.ID {
	t.Helper()
	id, err := streams.ParseID(text)
	if err != nil {
		t.Fatalf("parse ID %q: %v", text, err)
	}
	return id
}

// entry converts the example to an entry.
func (got *exampleEntry) entry(t *testing.T) streams.Entry {
	t.Helper()
	entry := streams.Entry{
		ID: parseID(t, got.ID), Number: got.N, Kind: got.Kind, Key: got.Key, User: streams.User(got.User), Text: got.Text, Emoji: got.Emoji,
		On: got.On, Reactions: got.Reactions, Deleted: got.Deleted, Mentions: got.Mentions,
		Member: streams.User(got.Member), Role: got.Role, Action: got.Action, Reason: got.Reason,
		Settings: streams.Settings{Title: got.Title, Archived: got.Archived, Locked: got.Locked},
	}
	for _, file := range got.Files {
		entry.Files = append(entry.Files, file.File)
	}
	if got.Preview != nil {
		entry.Preview = &got.Preview.Preview
		if got.Preview.Picture != nil {
			entry.Preview.File = &got.Preview.Picture.File
		}
	}
	for text, id := range map[string]*streams.ID{got.ReplyTo: &entry.ReplyTo, got.Of: &entry.Of, got.Edited: &entry.Edited} {
		if text != "" {
			*id = parseID(t, text)
		}
	}
	return entry
}
