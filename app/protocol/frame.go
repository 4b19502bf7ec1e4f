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

// Frame is a frame from a client. Type tells which fields are set.
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

// Form is how a client wants its batches.
type Form struct {
	HTML    bool // with the text rendered, too
	Deflate bool // compressed, if they are long
}

// Entry returns the entry that the frame asks to append, without its author.
func (f *Frame) Entry() streams.Entry {
	return streams.Entry{
		Kind: frameTypes[f.Type].kind, Key: f.Key, Text: f.Text, ReplyTo: f.ReplyTo, Of: f.Of, Emoji: f.Emoji, On: f.On,
	}
}

// Parse parses a frame. Even if there is an error, the frame holds the room and the key,
// shortened if they are invalid, so that the reply can name them. notJSON reports that data
// is not JSON at all.
func Parse(data []byte) (frame Frame, notJSON bool, err error) {
	raw, ok := Members(data)
	if !ok {
		return frame, !json.Valid(data), Errorf(BadFrame, "", "A frame is one JSON object.")
	}
	frame, err = parseMembers(raw)
	return frame, false, err
}

// ParseFollow parses a frame "follow" whose fields are given as the parameters of a URL.
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

// parseMembers parses the members of a frame, each as JSON. It changes raw.
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
	for _, name := range SortedKeys(raw) {
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

// MaxClip is how much of a client's text an error repeats, in characters: the longest
// room's name, and keys are shorter.
const MaxClip = 64

// Clip shortens a client's text to what an error may repeat.
func Clip(text string) string {
	if utf8.RuneCountInString(text) <= MaxClip {
		return text
	}
	return fmt.Sprintf("%s…", string([]rune(text)[:MaxClip]))
}

// SortedKeys returns the names of the members in order, so that of several errors the same
// one is always reported.
func SortedKeys(raw map[string]string) []string {
	return slices.Sorted(maps.Keys(raw))
}
