package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"burble/app/markup"
	"burble/streams"

	"github.com/google/uuid"
	"github.com/rivo/uniseg"
)

// Bounds of what a client sends.
const (
	textLimit  = 4000     // characters of a message
	topicLimit = 120      // characters of a room's topic
	frameLimit = 64 << 10 // bytes of a frame, and of a request's body
	newestMost = 500
	newestElse = 50 // when a follow does not say
)

// frame is what a client asks on a socket. Which fields are set depends on Type.
type frame struct {
	Type    string
	Room    string
	Key     string
	Text    string
	Emoji   string
	On      bool
	Form    form // follow
	Watch   bool
	From    streams.From // follow
	ReplyTo streams.ID
	Of      streams.ID
	ID      streams.ID // read
}

// fields says which fields each type of frame has: those it must have, then
// those it may have.
var fields = map[string]struct{ must, may []string }{
	"follow":   {[]string{"room"}, []string{"after", "last", "html", "deflate", "watch"}},
	"unfollow": {[]string{"room"}, nil},
	"send":     {[]string{"room", "key", "text"}, []string{"reply_to"}},
	"edit":     {[]string{"room", "key", "of", "text"}, nil},
	"delete":   {[]string{"room", "key", "of"}, nil},
	"react":    {[]string{"room", "key", "of", "emoji", "on"}, nil},
	"topic":    {[]string{"room", "key", "text"}, nil},
	"typing":   {[]string{"room"}, nil},
	"ping":     {nil, nil},
	"read":     {[]string{"room", "id"}, nil},
}

// parseFrame reads a frame. Room and key are in the frame it returns, good or not,
// so that the error can name them. notJSON says that there was no reading it at all.
func parseFrame(data []byte) (f frame, notJSON bool, err error) {
	raw, ok := members(data)
	if !ok {
		return f, !json.Valid(data), refuse(badFrame, "", "A frame is one JSON object.")
	}
	f, err = readFrame(raw)
	return f, false, err
}

// readFrame reads the members of a frame, each as JSON. It changes raw.
func readFrame(raw map[string]string) (f frame, err error) {
	var wrong [2]error
	for i, name := range [...]string{"room", "key"} {
		if raw[name] != "" {
			wrong[i] = f.read(name, raw[name])
		}
	}
	if err := cmp.Or(wrong[0], wrong[1]); err != nil {
		return f, err
	}
	if f.Type, err = stringField("type", raw["type"]); err != nil {
		return f, err
	}
	delete(raw, "type")
	expected, known := fields[f.Type]
	if !known {
		return f, refuse(badFrame, "type", "There is no frame of type %q.", clip(f.Type))
	}
	for _, name := range expected.must {
		if raw[name] == "" {
			return f, refuse(badField, name, "A frame of type %q needs the field %q.", f.Type, name)
		}
	}
	f.From = streams.Newest(newestElse)
	for _, name := range sortedKeys(raw) {
		if !slices.Contains(expected.must, name) && !slices.Contains(expected.may, name) {
			return f, refuse(badField, clip(name), "A frame of type %q has no field %q.", f.Type, clip(name))
		}
		if err := f.read(name, raw[name]); err != nil {
			return f, err
		}
	}
	if raw["after"] != "" && raw["last"] != "" {
		return f, errAfterAndLast
	}
	return f, nil
}

// read reads one field.
func (f *frame) read(name, value string) (err error) {
	switch name {
	case "on":
		f.On, err = boolField(name, value)
		return err
	case "html":
		f.Form.html, err = boolField(name, value)
		return err
	case "deflate":
		f.Form.deflate, err = boolField(name, value)
		return err
	case "watch":
		f.Watch, err = boolField(name, value)
		return err
	case "last":
		var last int
		if json.Unmarshal([]byte(value), &last) != nil || value == "null" || last < 0 || last > newestMost {
			return refuse(badField, name, "%q is a whole number from 0 to %d.", name, newestMost)
		}
		f.From = streams.Newest(last)
		return nil
	}
	text, err := stringField(name, value)
	if err != nil {
		return err
	}
	switch name {
	case "room":
		if f.Room, err = checkRoom(text); err != nil {
			f.Room = clip(text)
		}
	case "key":
		if f.Key, err = checkKey(name, text); err != nil {
			f.Key = clip(text)
		}
	case "text":
		check := checkText
		if f.Type == "topic" {
			check = checkTopic
		}
		f.Text, err = check(text)
	case "emoji":
		f.Emoji, err = checkEmoji(text)
	case "after":
		var cursor streams.Cursor
		cursor, err = checkCursor(name, text)
		f.From = streams.After(cursor)
	case "reply_to":
		f.ReplyTo, err = checkID(name, text)
	case "of":
		f.Of, err = checkID(name, text)
	case "id":
		f.ID, err = checkID(name, text)
	}
	return err
}

func stringField(name, value string) (string, error) {
	text, ok := unquote(value)
	if !ok {
		return "", refuse(badField, name, "%q is a string.", name)
	}
	return text, nil
}

func boolField(name, value string) (bool, error) {
	if value != "true" && value != "false" {
		return false, refuse(badField, name, "%q is true or false.", name)
	}
	return value == "true", nil
}

// The checks of single values, the same for every surface.

func checkRoom(room string) (string, error) {
	if err := streams.CheckRoom(room); err != nil {
		return "", asProblem(err)
	}
	return room, nil
}

func checkKey(field, key string) (string, error) {
	if _, err := uuid.Parse(key); err != nil || len(key) != 36 {
		return "", refuse(badField, field, "A key is a UUID, as 9b2f6c1e-3d4a-4f6b-8a7e-1c2d3e4f5a6b.")
	}
	return key, nil
}

func checkText(text string) (string, error) {
	switch {
	case text == "":
		return "", refuse(badField, "text", "A message has 1 to %d characters.", textLimit)
	case !strings.ContainsFunc(text, isShown):
		return "", refuse(badField, "text", "A message must hold something that can be seen.")
	case utf8.RuneCountInString(text) > textLimit:
		return "", refuse(tooLong, "text", "A message has at most %d characters; this one has %d.",
			textLimit, utf8.RuneCountInString(text))
	}
	return text, nil
}

// isShown is true of what is drawn, alone or with what is before it. What Unicode has not
// assigned may be drawn one day.
func isShown(r rune) bool {
	if r > ' ' && r < 0x7f {
		return true // and most texts begin so
	}
	return !unicode.IsSpace(r) && r != '\u2800' /* a Braille pattern without dots */ &&
		!unicode.In(r, unicode.Cc, unicode.Cf, unicode.Z, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// checkTopic takes one line, or nothing: a room may be without.
func checkTopic(topic string) (string, error) {
	topic = strings.Join(strings.Fields(topic), " ")
	if utf8.RuneCountInString(topic) > topicLimit {
		return "", refuse(tooLong, "text", "A topic has at most %d characters.", topicLimit)
	}
	return topic, nil
}

func checkEmoji(emoji string) (string, error) {
	if len(emoji) > markup.EmojiLimit || !isEmoji(emoji) {
		return "", refuse(badField, "emoji", "A reaction is one emoji.")
	}
	return emoji, nil
}

// isEmoji says whether text could be an emoji: one symbol as people count (UAX #29), of
// runes that are symbols, or join and change them. What Unicode has not assigned may be
// one next year; letters, and what turns or hides text, never are.
func isEmoji(text string) bool {
	symbols, halves, last := 0, 0, joiner
	for _, r := range text {
		switch {
		case r == '\ufe0f' && last == r:
			return false
		case strings.ContainsRune("0123456789#*", r): // a keycap follows
		case r == joiner, r == '\ufe0f', r >= 0xe0020 && r <= 0xe007f: // the emoji's form, tags of flags
		case last == joiner && symbols == 0 && (r == '\u20e3' || r >= 0x1f3fb && r <= 0x1f3ff): // these change what is before
			return false
		case r == '\u20e3', r == 'ℹ': // the keycap, and the one letter
			symbols++
		case r < 0x80, r == utf8.RuneError, unicode.In(r, unicode.L, unicode.M, unicode.N, unicode.Z, unicode.Cc, unicode.Cf, unicode.Co):
			return false
		default:
			symbols++
			if r >= 0x1f1e6 && r <= 0x1f1ff {
				halves++ // of a flag
			}
		}
		last = r
	}
	return symbols > 0 && halves != 1 && last != joiner && uniseg.GraphemeClusterCount(text) == 1
}

// joiner makes one emoji of those around it.
const joiner = '\u200d'

// errAfterAndLast is for who asks for two places to begin at.
var errAfterAndLast = refuse(badField, "last", `A follow has "after" or "last", not both.`)

func checkCursor(field, text string) (streams.Cursor, error) {
	cursor, err := streams.ParseCursor(text)
	if err != nil {
		return cursor, refuse(badField, field, "%q is a cursor, as 1732281600000-0@epoch, or an entry ID.", field)
	}
	return cursor, nil
}

func checkID(field, text string) (streams.ID, error) {
	id, err := streams.ParseID(text)
	if err != nil || id.IsZero() {
		return id, refuse(badField, field, "%q is an entry ID, as 1732281600000-0.", field)
	}
	return id, nil
}

// clipMost is the length of the longest room's name: what stands for a key is shorter.
const clipMost = 64

// clip shortens what a client sent to what may be said back to it.
func clip(text string) string {
	if utf8.RuneCountInString(text) <= clipMost {
		return text
	}
	return fmt.Sprintf("%s…", string([]rune(text)[:clipMost]))
}

func sortedKeys(raw map[string]string) []string {
	names := make([]string, 0, len(raw))
	for name := range raw {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
