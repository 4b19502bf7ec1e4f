package protocol

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"unicode/utf8"

	"burble/streams"
)

// Subprotocol is the WebSocket subprotocol: the name and version of this protocol.
const Subprotocol = "burble.v1"

// Frame is a frame from a client. The type determines which fields are set.
type Frame struct {
	Type    string
	Room    string
	Key     string
	Text    string
	Emoji   string
	On      bool         // react
	Form    Form         // follow
	Watch   bool         // follow
	From    streams.From // follow
	ReplyTo streams.ID   // send
	Of      streams.ID   // edit, delete, react
	ID      streams.ID   // read
}

// Form is the form in which a client wants its batches of entries.
type Form struct {
	HTML    bool // also with the text rendered as HTML
	Deflate bool // compressed, if they are long
}

// Entry returns the entry that the frame appends, without its author.
func (f *Frame) Entry() streams.Entry {
	return streams.Entry{
		Kind: frameTypes[f.Type].kind, Key: f.Key, Text: f.Text, ReplyTo: f.ReplyTo, Of: f.Of, Emoji: f.Emoji, On: f.On,
	}
}

// ErrNotJSON is the error of a frame that is not JSON at all. Its client does not speak this
// protocol.
var ErrNotJSON = Errorf(BadFrame, "", notObject)

const notObject = "A frame is one JSON object."

// Parse parses a frame. The error is an *Error, or ErrNotJSON. Even with an error, the frame holds
// the room and the key, shortened if they are invalid, so that the reply can name them.
func Parse(data []byte) (Frame, error) {
	raw, ok := Members(data)
	switch {
	case ok:
		return parseMembers(raw)
	case json.Valid(data):
		return Frame{}, Errorf(BadFrame, "", notObject)
	}
	return Frame{}, ErrNotJSON
}

// ParseFollow parses a frame "follow" whose fields are the query parameters of a URL.
func ParseFollow(params map[string]string) (Frame, error) {
	raw := map[string]string{"type": `"follow"`}
	for name, value := range params {
		if name == "room" || name == "after" {
			value = string(AppendString(nil, value))
		}
		raw[name] = value
	}
	return parseMembers(raw)
}

// parseMembers parses the members of a frame, whose values are JSON. It changes raw.
func parseMembers(raw map[string]string) (frame Frame, err error) {
	var invalid [2]error
	for i, name := range [...]string{"room", "key"} {
		if raw[name] != "" {
			invalid[i] = frame.setField(name, raw[name])
		}
	}
	if err := cmp.Or(invalid[0], invalid[1]); err != nil {
		return frame, err
	}
	if frame.Type, err = StringField("type", raw["type"]); err != nil {
		return frame, err
	}
	delete(raw, "type")
	expected, known := frameTypes[frame.Type]
	if !known {
		return frame, Errorf(BadFrame, "type", "There is no frame of type %q.", Clip(frame.Type))
	}
	for _, name := range expected.must {
		if raw[name] == "" {
			return frame, Errorf(BadField, name, "A frame of type %q needs the field %q.", frame.Type, name)
		}
	}
	frame.From = streams.Newest(DefaultLast)
	for _, name := range SortedNames(raw) {
		if !slices.Contains(expected.must, name) && !slices.Contains(expected.may, name) {
			return frame, Errorf(BadField, Clip(name), "A frame of type %q has no field %q.", frame.Type, Clip(name))
		}
		if err := frame.setField(name, raw[name]); err != nil {
			return frame, err
		}
	}
	if raw["after"] != "" && raw["last"] != "" {
		return frame, ErrAfterAndLast
	}
	return frame, nil
}

// setField parses and sets one field.
func (f *Frame) setField(name, value string) (err error) {
	switch name {
	case "on":
		f.On, err = BoolField(name, value)
		return err
	case "html":
		f.Form.HTML, err = BoolField(name, value)
		return err
	case "deflate":
		f.Form.Deflate, err = BoolField(name, value)
		return err
	case "watch":
		f.Watch, err = BoolField(name, value)
		return err
	case "last":
		var last int
		if json.Unmarshal([]byte(value), &last) != nil || value == "null" || last < 0 || last > MaxLast {
			return Errorf(BadField, name, "%q must be a whole number from 0 to %d.", name, MaxLast)
		}
		f.From = streams.Newest(last)
		return nil
	}
	text, err := StringField(name, value)
	if err != nil {
		return err
	}
	return f.setText(name, text)
}

// setText checks and sets a field whose value is a string.
func (f *Frame) setText(name, text string) (err error) {
	switch name {
	case "room":
		if f.Room, err = CheckRoom(text); err != nil {
			f.Room = Clip(text)
		}
	case "key":
		if f.Key, err = CheckKey(name, text); err != nil {
			f.Key = Clip(text)
		}
	case "text":
		check := CheckText
		if f.Type == "topic" {
			check = checkTopic
		}
		f.Text, err = check(text)
	case "emoji":
		f.Emoji, err = checkEmoji(text)
	case "after":
		var cursor streams.Cursor
		cursor, err = CheckCursor(name, text)
		f.From = streams.After(cursor)
	case "reply_to":
		f.ReplyTo, err = CheckID(name, text)
	case "of":
		f.Of, err = CheckID(name, text)
	case "id":
		f.ID, err = CheckID(name, text)
	}
	return err
}

// MaxClip is how many characters of a client's text an error repeats: enough for the longest name
// of a room, and for a key.
const MaxClip = 64

// Clip shortens a client's text to what an error repeats of it.
func Clip(text string) string {
	if utf8.RuneCountInString(text) <= MaxClip {
		return text
	}
	return fmt.Sprintf("%s…", string([]rune(text)[:MaxClip]))
}

// SortedNames returns the names of an object's members in order, so that the same one of several
// errors is always reported.
func SortedNames(members map[string]string) []string {
	return slices.Sorted(maps.Keys(members))
}
