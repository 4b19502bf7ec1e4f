package main

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"burble/streams"
)

// The README is the protocol, so its examples are tests: what it has a client
// send is accepted, and what it has the server say is said so to the byte.

// blocks are the fenced blocks of a Markdown file in one language, line by line.
func blocks(t *testing.T, path, language string) (lines []string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	inside := false
	for line := range strings.Lines(string(text)) {
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

func TestExamplesOfTheProtocolAreWhatIsSpoken(t *testing.T) {
	missing := map[string]bool{}
	for kind := range fields {
		missing[kind] = true
	}
	for kind := range said {
		missing[kind] = true
	}
	examples := blocks(t, "README.md", "json")
	for _, example := range examples {
		var object struct{ Type, Kind string }
		json.Unmarshal([]byte(example), &object) // a list is no object
		delete(missing, object.Type)
		switch {
		case object.Type == "":
			expectObject(t, example, object.Kind)
		case said[object.Type] != nil:
			if got := said[object.Type](t, example); got != example {
				t.Errorf("the README has\n%s, the server says\n%s", example, got)
			}
		default:
			if got, _, err := parseFrame([]byte(example)); err != nil || got.Type != object.Type {
				t.Errorf("%s is refused: %v", example, err)
			}
		}
	}
	for kind := range missing {
		t.Errorf("the README has no example of the frame %q", kind)
	}
}

// said is how the server says each of its frames, from what an example holds.
var said = map[string]func(t *testing.T, example string) string{
	"hello": func(t *testing.T, example string) string {
		frame := frameOf(t, example)
		var guest *Guest
		if frame.User != nil {
			guest = &Guest{frame.User.ID, frame.User.Name}
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
		return string(storedJSON(frame.Room, frame.Key, idOfText(t, frame.ID)))
	},
	"error": func(t *testing.T, example string) string {
		frame := frameOf(t, example)
		told := refuse(code(frame.Code), frame.Field, "%s", frame.Message)
		told.retryAfter = time.Duration(frame.RetryAfterMS) * time.Millisecond
		if statuses[told.code] == 0 {
			t.Errorf("there is no code %s", told.code)
		}
		return string(errorJSON(told, frame.Room, frame.Key))
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
			signal.ID = idOfText(t, frame.ID)
		}
		return string(signalJSON(frame.Room, signal))
	},
	"pong": func(*testing.T, string) string { return string(pong[2:]) }, // after the frame's header
}

// expectObject checks what is no frame: an entry, or what HTTP takes and gives.
func expectObject(t *testing.T, example, kind string) {
	t.Helper()
	if kind != "" {
		got := decodeEntry(t, example)
		entry := entryOf(t, got)
		want := string(appendEntry(nil, &entry, got.HTML != nil))
		if got.Cursor != "" {
			want = strings.TrimSpace(string(lineEntry(nil, &entry, cursorOf(t, got.Cursor))))
		}
		if example != want {
			t.Errorf("the README has\n%s, the server says\n%s", example, want)
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
	if names := namesOf(object); !slices.Contains(spoken(t), names) {
		t.Errorf("nothing here has the fields %s: %s", names, example)
	}
}

// spoken are the fields of what a server answers, and of what it takes.
var spokenOnce []string

func spoken(t *testing.T) []string {
	t.Helper()
	if spokenOnce != nil {
		return spokenOnce
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
		spokenOnce = append(spokenOnce, namesOf(object))
	}
	return spokenOnce
}

// namesOf are an object's fields, and those of the objects in it.
func namesOf(object map[string]any) string {
	var names []string
	for name, value := range object {
		if inner, ok := value.(map[string]any); ok {
			name += "{" + namesOf(inner) + "}"
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

func idOfText(t *testing.T, text string) streams.ID {
	t.Helper()
	id, err := streams.ParseID(text)
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return id
}

// entryOf is the entry that an example shows.
func entryOf(t *testing.T, got gotEntry) streams.Entry {
	t.Helper()
	entry := streams.Entry{
		ID: idOfText(t, got.ID), N: got.N, Kind: streams.Kind(got.Kind), Key: got.Key, Text: got.Text, Emoji: got.Emoji,
		On: got.On != nil && *got.On, Reactions: got.Reactions, Deleted: got.Deleted,
	}
	if got.User != nil {
		entry.User = streams.User(*got.User)
	}
	for text, id := range map[string]*streams.ID{got.ReplyTo: &entry.ReplyTo, got.Of: &entry.Of, got.Edited: &entry.Edited} {
		if text != "" {
			*id = idOfText(t, text)
		}
	}
	return entry
}

func TestReadmeNamesEveryCodeAndCloseCode(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for code := range statuses {
		if !strings.Contains(string(text), "| `"+string(code)+"` |") {
			t.Errorf("no row for the code %s", code)
		}
	}
	for _, code := range []string{"1002", "1003", "1007", "1008", "1009", "1011", "1012", "4008"} {
		if !strings.Contains(string(text), "| "+code+" |") {
			t.Errorf("no row for the close code %s", code)
		}
	}
}
