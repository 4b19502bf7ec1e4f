package protocol

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"unicode/utf8"

	"burble/app/rawjson"
	"burble/streams"
)

// Subprotocol is the WebSocket subprotocol. It contains the name and the version of this protocol.
const Subprotocol = "burble.v1"

// Frame is a frame from a client. Its Type determines which fields are set.
type Frame struct {
	Type    string
	Room    string
	Key     string
	Text    string
	Emoji   string
	On      bool           // react
	Format  BatchFormat    // follow
	Watch   bool           // follow
	From    streams.From   // follow
	Files   []streams.File // send
	ReplyTo streams.ID     // send
	Preview string         // send: the token of a preview
	Target  streams.ID     // edit, delete, react
	ID      streams.ID     // read
}

// BatchFormat is the encoding that a client requested for its batches of entries.
type BatchFormat struct {
	HTML    bool // include the text rendered as HTML
	Deflate bool // compress large batches
}

// Entry returns the entry to append, without its author.
func (f *Frame) Entry() streams.Entry {
	return streams.Entry{
		Kind: frameTypes[f.Type].kind, Key: f.Key, Text: f.Text, ReplyTo: f.ReplyTo, Of: f.Target, Emoji: f.Emoji, On: f.On,
		Files: f.Files,
	}
}

// ErrNotJSON is the error for a frame that is not JSON, from a client that does not speak this protocol.
var ErrNotJSON = Errorf(BadFrame, "", notObjectMessage)

const notObjectMessage = "A frame must be a JSON object."

// Parse parses a frame. It returns an *Error, which is ErrNotJSON if data is not JSON. Even on error,
// the frame contains the room and the key, shortened if they are invalid, so that the reply can
// include them.
func Parse(data []byte) (Frame, error) {
	raw, ok := rawjson.Members(data)
	switch {
	case ok:
		return parseMembers(raw)
	case json.Valid(data):
		return Frame{}, Errorf(BadFrame, "", notObjectMessage)
	}
	return Frame{}, ErrNotJSON
}

// ParseFollow parses the query parameters of a URL as the fields of a "follow" frame.
func ParseFollow(params map[string]string) (Frame, error) {
	raw := map[string]string{"type": `"follow"`}
	for name, value := range params {
		if name == "room" || name == "after" {
			value = string(rawjson.AppendString(nil, value))
		}
		raw[name] = value
	}
	return parseMembers(raw)
}

// parseMembers parses the members of a frame, and modifies raw. The values in raw are JSON.
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
		return frame, Errorf(BadFrame, "type", "There is no frame of type %q.", Shorten(frame.Type))
	}
	for _, name := range expected.required {
		if raw[name] == "" {
			return frame, missingField(frame.Type, name)
		}
	}
	frame.From = streams.Newest(DefaultLast)
	for _, name := range SortedNames(raw) {
		if !slices.Contains(expected.required, name) && !slices.Contains(expected.optional, name) {
			return frame, Errorf(BadField, Shorten(name), "A frame of type %q has no field %q.", frame.Type, Shorten(name))
		}
		if err := frame.setField(name, raw[name]); err != nil {
			return frame, err
		}
	}
	switch {
	case raw["after"] != "" && raw["last"] != "":
		return frame, ErrAfterAndLast
	case frame.Type == "send" && raw["text"] == "" && len(frame.Files) == 0:
		return frame, missingField(frame.Type, "text")
	}
	return frame, nil
}

func missingField(frameType, name string) *Error {
	return Errorf(BadField, name, "A frame of type %q needs the field %q.", frameType, name)
}

// setField parses and sets a field from its JSON value.
func (f *Frame) setField(name, value string) (err error) {
	switch name {
	case "on":
		f.On, err = BoolField(name, value)
		return err
	case "html":
		f.Format.HTML, err = BoolField(name, value)
		return err
	case "deflate":
		f.Format.Deflate, err = BoolField(name, value)
		return err
	case "watch":
		f.Watch, err = BoolField(name, value)
		return err
	case "files":
		f.Files, err = ParseFiles(value)
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

// setText validates and sets a field whose value is a string.
func (f *Frame) setText(name, text string) (err error) {
	switch name {
	case "room":
		if f.Room, err = CheckRoom(text); err != nil {
			f.Room = Shorten(text)
		}
	case "key":
		if f.Key, err = CheckKey(name, text); err != nil {
			f.Key = Shorten(text)
		}
	case "text":
		check := CheckText
		switch {
		case f.Type == "topic":
			check = checkTopic
		case len(f.Files) > 0: // parseMembers sets the fields in sorted order, so "files" is already set
			check = CheckCaption
		}
		f.Text, err = check(text)
	case "preview":
		f.Preview = text
	case "emoji":
		f.Emoji, err = checkEmoji(text)
	case "after":
		var cursor streams.Cursor
		cursor, err = CheckCursor(name, text)
		f.From = streams.After(cursor)
	case "reply_to":
		f.ReplyTo, err = CheckID(name, text)
	case "of":
		f.Target, err = CheckID(name, text)
	case "id":
		f.ID, err = CheckID(name, text)
	}
	return err
}

// MaxQuoted is the maximum number of characters that an error quotes from a client's text. Room
// names and keys are never longer.
const MaxQuoted = 64

// Shorten shortens a client's text to MaxQuoted characters, so that an error can quote it.
func Shorten(text string) string {
	if utf8.RuneCountInString(text) <= MaxQuoted {
		return text
	}
	return fmt.Sprintf("%s…", string([]rune(text)[:MaxQuoted]))
}

// SortedNames returns the names of an object's members in sorted order. If an object has several
// errors, checking its members in this order always reports the same one.
func SortedNames(members map[string]string) []string {
	return slices.Sorted(maps.Keys(members))
}
