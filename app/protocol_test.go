package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"burble/app/identity"
	"burble/streams"
)

// PROTOCOL.md is the protocol, so its examples are tests: the server accepts what they
// have a client send, and sends what they have the server send, to the byte.

// blocks returns the lines of all fenced blocks of a Markdown file in one language.
func blocks(t *testing.T, path, language string) (lines []string) {
	t.Helper()
	inside := false
	for line := range strings.Lines(readDoc(t, path)) {
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

func readDoc(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
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
	text := readDoc(t, "PROTOCOL.md")
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

// TestDocsHaveTheLimitsOfTheCode checks that the documents have these phrases, whose
// numbers come from the code.
func TestDocsHaveTheLimitsOfTheCode(t *testing.T) {
	config, err := ParseConfig(nil, func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	limits := startAlone(t, func(c *Config) { *c = config }).limits
	rate := func(l *limiter) string { return fmt.Sprintf("%v/s | %s |", l.rate, grouped(l.burst)) }
	for path, phrases := range map[string][]string{
		"PROTOCOL.md": {
			"| a text | " + grouped(textLimit) + " characters |",
			"A text has 1 to " + grouped(textLimit) + " characters",
			fmt.Sprintf("| a topic | %d characters |", topicLimit),
			fmt.Sprintf("It has at most %d characters", topicLimit),
			fmt.Sprintf("| a name | %d characters |", guestNameMax),
			fmt.Sprintf("has 1 to %d characters. Names are", guestNameMax),
			fmt.Sprintf("`emoji` is a single emoji of at most %d bytes", emojiLimit),
			fmt.Sprintf("together | %d characters |", queryLimit),
			fmt.Sprintf("together they have at most %d characters", queryLimit),
			fmt.Sprintf("body of a request | %d KiB |", frameLimit>>10),
			fmt.Sprintf("larger than %d KiB", frameLimit>>10),
			"rooms one WebSocket follows | " + grouped(roomsMost) + " |",
			fmt.Sprintf("entries (0 to %d, default %d; 0 is", newestMost, newestElse),
			fmt.Sprintf("entries (0 to %d, default %d). `Accept`", newestMost, newestElse),
			fmt.Sprintf("1 to %d messages, default %d", newestMost, pageOf),
			fmt.Sprintf("per %d entries of its `limit`", pageOf),
			fmt.Sprintf("the %d most recently active rooms", roomsListed),
			fmt.Sprintf("ends after %d matches", searchMatches),
			fmt.Sprintf("batches of %d KiB or more", deflateFrom>>10),
			fmt.Sprintf("cut after %d characters", clipMost),
			fmt.Sprintf("valid for %d days", guestTokenLife/(24*time.Hour)),
			fmt.Sprintf("ping every %d s", beatEvery/time.Second),
			fmt.Sprintf("Every %d s comes a comment", beatEvery/time.Second),
			fmt.Sprintf("arrived for %d s", deadAfter/time.Second),
			fmt.Sprintf("passed on at most every %d s", typingEvery/time.Second),
			fmt.Sprintf("names at most %d users", streams.PresentMost),
			fmt.Sprintf("at most every %d s, with an empty `users`", streams.TellAgain/time.Second),
			fmt.Sprintf("`left` (%d s after", presenceGrace/time.Second),
			fmt.Sprintf("took more than %d s", slowAfter/time.Second),
			fmt.Sprintf("send a request | %d s |", requestTime/time.Second),
			fmt.Sprintf("WebSocket frames | %d s |", deadAfter/time.Second),
			fmt.Sprintf("not a live read | %d s |", answerTime/time.Second),
			fmt.Sprintf("1 per user, %d per address", searchesMost),
			fmt.Sprintf("%d MiB per address", unreadMost>>20),
			"entries stored (`RATE_MESSAGES`) | user | " + rate(limits.messages),
			"`typing` and `read` (`RATE_MESSAGES`) | user | " + rate(limits.signals),
			"frames (`RATE_ADDRESS`) | address | " + rate(limits.address),
			"live reads (`RATE_CONNECTIONS`) | address | " + rate(limits.connections),
			fmt.Sprintf("sent %d more frames over", floodMost),
			fmt.Sprintf("%d × `RATE_CONNECTIONS`", connectionsMost),
			"open, by default " + grouped(limits.live.most),
		},
		"THREATS.md": {
			fmt.Sprintf("takes %d s ends it", slowAfter/time.Second),
			fmt.Sprintf("buffers at most %d KiB", sendBuffer>>10),
			fmt.Sprintf("with %d more refused", floodMost),
		},
		"README.md": {
			fmt.Sprintf("has %d s for each write", slowAfter/time.Second),
			fmt.Sprintf("batch of %d KiB or more", deflateFrom>>10),
			fmt.Sprintf("up to %d ms, so that it shares", answerWait/time.Millisecond),
			fmt.Sprintf("a %d-byte buffer", socketBuffer),
			fmt.Sprintf("more than %.0f %% of it for %d ms", 100*busyShare, processorsEvery/time.Millisecond),
			fmt.Sprintf("less than %.0f %% of it for a second", 100*calmShare),
			fmt.Sprintf("over up to %d s, with", drainFor/time.Second),
		},
	} {
		text := strings.Join(strings.Fields(readDoc(t, path)), " ")
		for _, phrase := range phrases {
			if !strings.Contains(text, phrase) {
				t.Errorf("%s does not say %q", path, phrase)
			}
		}
	}
}

// grouped formats a number with a comma between thousands.
func grouped(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
