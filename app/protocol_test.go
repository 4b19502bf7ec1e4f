package main

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"burble/app/apptest"
	"burble/app/identity"
	"burble/streams"
)

// PROTOCOL.md is the protocol, so its examples are tests: the server accepts what they
// have a client send, and sends what they have the server send, to the byte.

// blocks returns the lines of all fenced blocks of a Markdown file in one language.
func blocks(t *testing.T, path, language string) (lines []string) {
	t.Helper()
	inside := false
	for line := range strings.Lines(apptest.ReadDoc(t, path)) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "```"):
			inside = line == "```"+language
		case inside && line != "":
			lines = append(lines, line)
		}
	}
	return lines
}

func TestProtocolExamples(t *testing.T) {
	missing := map[string]bool{}
	for kind := range fields {
		missing[kind] = true
	}
	for kind := range encoders {
		missing[kind] = true
	}
	for _, example := range blocks(t, "PROTOCOL.md", "json") {
		var object struct{ Type, Kind string }
		json.Unmarshal([]byte(example), &object) // fails for a list, which has no type
		delete(missing, object.Type)
		switch {
		case object.Type == "":
			checkObject(t, example, object.Kind)
		case encoders[object.Type] != nil:
			if got := encoders[object.Type](t, example); got != example {
				t.Errorf("example\n%s\nserver sends\n%s", example, got)
			}
		default:
			if got, _, err := parseFrame([]byte(example)); err != nil || got.Type != object.Type {
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
		var guest identity.User
		if frame.User != nil {
			guest = identity.User{ID: frame.User.ID, Name: frame.User.Name}
		}
		return string(helloJSON(guest, streams.Durability(frame.Durability)))
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
		return string(followedJSON(frame.Room, followed))
	},
	"entries": func(t *testing.T, example string) string {
		frame := frameOf(t, example)
		batch := &streams.Batch{Room: frame.Room, After: cursorOf(t, frame.After), Upto: cursorOf(t, frame.Upto)}
		for _, entry := range frame.Entries {
			batch.Entries = append(batch.Entries, entryOf(t, entry))
		}
		return string(entriesJSON(batch, false))
	},
	"stored": func(t *testing.T, example string) string {
		frame := frameOf(t, example)
		return string(storedJSON(frame.Room, frame.Key, idOf(t, frame.ID)))
	},
	"error": func(t *testing.T, example string) string {
		frame := frameOf(t, example)
		refusal := refuse(code(frame.Code), frame.Field, "%s", frame.Message)
		refusal.retryAfter = time.Duration(frame.RetryAfterMS) * time.Millisecond
		if statuses[refusal.code] == 0 {
			t.Errorf("there is no error code %s", refusal.code)
		}
		return string(errorJSON(refusal, frame.Room, frame.Key))
	},
	"status": func(t *testing.T, example string) string {
		return string(statusJSON(frameOf(t, example).Redis == "away"))
	},
	"present": func(t *testing.T, example string) string {
		var frame struct {
			Count int
			Users []streams.User
		}
		json.Unmarshal([]byte(example), &frame)
		return string(presentJSON(frameOf(t, example).Room, frame.Count, frame.Users))
	},
	"signal": func(t *testing.T, example string) string {
		frame := frameOf(t, example)
		var more struct{ Kind streams.SignalKind }
		json.Unmarshal([]byte(example), &more)
		signal := &streams.Signal{Kind: more.Kind, User: streams.User(*frame.User)}
		if frame.ID != "" {
			signal.ID = idOf(t, frame.ID)
		}
		return string(signalJSON(frame.Room, signal))
	},
	"pong": func(*testing.T, string) string { return string(pong[2:]) }, // without the WebSocket header
}

// checkObject checks an example that is not a frame: an entry, or the body of a request
// or response.
func checkObject(t *testing.T, example, kind string) {
	t.Helper()
	if kind != "" {
		got := decodeEntry(t, example)
		entry := entryOf(t, got)
		want := string(appendEntry(nil, &entry, got.HTML != nil))
		if got.Cursor != "" {
			want = strings.TrimSpace(string(lineEntry(nil, &entry, cursorOf(t, got.Cursor))))
		}
		if example != want {
			t.Errorf("example\n%s\nserver sends\n%s", example, want)
		}
		return
	}
	var object map[string]any
	if strings.HasPrefix(example, "[") {
		var list []map[string]any
		if err := json.Unmarshal([]byte(example), &list); err != nil || len(list) != 1 {
			t.Fatalf("%v in %s", err, example)
		}
		object = list[0]
	} else if err := json.Unmarshal([]byte(example), &object); err != nil {
		t.Fatalf("%v in %s", err, example)
	}
	if fields := fieldNames(object); !slices.Contains(bodyFields(t), fields) {
		t.Errorf("no request or response has the fields %s: %s", fields, example)
	}
}

var bodyFieldsOnce []string

// bodyFields returns the field names of each body that the server accepts or sends.
func bodyFields(t *testing.T) []string {
	t.Helper()
	if bodyFieldsOnce != nil {
		return bodyFieldsOnce
	}
	s := startAlone(t)
	session := s.postJSON("/session", `{"name":"Ada"}`)
	var ada testGuest
	session.decode(t, &ada)
	message := s.postJSON("/r/lobby/messages", `{"text":"hi!"}`, ada.bearer())
	reply := `{"text":"hi!","reply_to":"` + s.say(ada, "lobby", "hi!").ID + `"}`
	if got := s.postJSON("/r/lobby/messages", reply, ada.bearer()); got.status != 201 {
		t.Errorf("%s: %d %s", reply, got.status, got.body)
	}
	found := strings.Split(strings.TrimSpace(s.get("/r/lobby/search?q=nothing-of-this").body), "\n")
	bodies := []string{
		`{"name":"Ada"}`, reply, session.body, message.body, s.get("/r/lobby/messages").body,
		s.get("/r/lobby/messages?limit=x").body, found[len(found)-1], strings.Trim(s.get("/rooms", ada.bearer()).body, "[]"),
	}
	for _, body := range bodies {
		var object map[string]any
		if err := json.Unmarshal([]byte(body), &object); err != nil {
			t.Fatalf("%v in %s", err, body)
		}
		bodyFieldsOnce = append(bodyFieldsOnce, fieldNames(object))
	}
	return bodyFieldsOnce
}

// fieldNames returns the sorted names of an object's fields, including those of objects in it.
func fieldNames(object map[string]any) string {
	var names []string
	for name, value := range object {
		if inner, ok := value.(map[string]any); ok {
			name += "{" + fieldNames(inner) + "}"
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return strings.Join(names, ",")
}

func frameOf(t *testing.T, text string) serverFrame {
	t.Helper()
	var frame serverFrame
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
func entryOf(t *testing.T, got gotEntry) streams.Entry {
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

func TestProtocolListsEveryErrorAndCloseCode(t *testing.T) {
	text := apptest.ReadDoc(t, "PROTOCOL.md")
	for code := range statuses {
		if !strings.Contains(text, "\n| `"+string(code)+"` |") {
			t.Errorf("no row for the error code %s", code)
		}
	}
	for _, code := range []int{
		closeProtocol, closeNotText, closeNotUTF8, closeNotAllowed, closeTooBig, closeBroken, closeRestart, closeTooSlow,
	} {
		if !strings.Contains(text, "\n| "+strconv.Itoa(code)+" |") {
			t.Errorf("no row for the close code %d", code)
		}
	}
}
