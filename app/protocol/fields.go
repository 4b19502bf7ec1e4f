package protocol

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"burble/app/markup"
	"burble/app/rawjson"
	"burble/streams"

	"github.com/google/uuid"
)

// Limits of client input.
const (
	MaxText     = 4000     // characters in a message
	MaxTopic    = 120      // characters in a room's topic
	MaxFrame    = 64 << 10 // bytes in a frame or a request body
	MaxLast     = 500      // entries that a follow or a page of history may request
	DefaultLast = 50       // entries that a follow returns if it does not specify a number
)

// isNumeric reports whether the value of a field may also be a JSON number.
func isNumeric(name string) bool { return name == "uses" }

// ParseFields parses a request body, which must be a JSON object whose member names are all in names. All
// values must be strings, except that a numeric field may also be a number, which is returned as its digits,
// and that the value of "files" is returned as JSON, for ParseFiles.
func ParseFields(data []byte, names []string) (map[string]string, error) {
	raw, ok := rawjson.Members(data)
	if !ok {
		return nil, Errorf(BadFrame, "", "The body must be a JSON object.")
	}
	fields := make(map[string]string)
	for _, name := range SortedNames(raw) {
		if !slices.Contains(names, name) {
			return nil, UnknownField(name)
		}
		if name == "files" {
			fields[name] = raw[name]
			continue
		}
		text, err := StringField(name, raw[name])
		if digits := strings.Trim(raw[name], " \t\r\n"); isNumeric(name) && strings.Trim(digits, "0123456789") == "" && digits != "" {
			text, err = digits, nil
		}
		if err != nil {
			return nil, err
		}
		fields[name] = text
	}
	return fields, nil
}

// UnknownField returns the error for a field that a request must not have.
func UnknownField(name string) *Error {
	return Errorf(BadField, Shorten(name), "Unknown field %q.", Shorten(name))
}

// StringField parses a field whose JSON value must be a string.
func StringField(name, value string) (string, error) {
	text, ok := rawjson.Unquote(value)
	if !ok {
		return "", Errorf(BadField, name, "%q must be a string.", name)
	}
	return text, nil
}

// BoolField parses a field whose JSON value must be true or false.
func BoolField(name, value string) (bool, error) {
	if value != "true" && value != "false" {
		return false, Errorf(BadField, name, "%q must be true or false.", name)
	}
	return value == "true", nil
}

// CheckRoom validates the name of a room.
func CheckRoom(room string) (string, error) {
	if err := streams.CheckRoom(room); err != nil {
		return "", AsError(err)
	}
	return room, nil
}

// CheckKey validates an idempotency key. field is the field or header that contains it.
func CheckKey(field, key string) (string, error) {
	if _, err := uuid.Parse(key); err != nil || len(key) != 36 {
		return "", Errorf(BadField, field, "A key must be a UUID such as 9b2f6c1e-3d4a-4f6b-8a7e-1c2d3e4f5a6b.")
	}
	return key, nil
}

// CheckText validates the text of a message. It replaces CRLF, the line ending of HTML forms and Windows
// programs, with LF.
func CheckText(text string) (string, error) {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	switch {
	case text == "":
		return "", Errorf(BadField, "text", "A message must have 1 to %d characters.", MaxText)
	case !strings.ContainsFunc(text, markup.IsVisible):
		return "", Errorf(BadField, "text", "A message must contain a visible character.")
	case utf8.RuneCountInString(text) > MaxText:
		return "", Errorf(TooLong, "text", "A message may have at most %d characters. This one has %d.",
			MaxText, utf8.RuneCountInString(text))
	}
	return text, nil
}

// checkTopic validates a topic and joins its lines into one. An empty topic removes the room's topic.
func checkTopic(topic string) (string, error) { return checkLine("text", "topic", topic, MaxTopic) }

// checkLine joins the lines of text into one, which may have up to limit characters. name is what the error calls the
// text, such as "topic".
func checkLine(field, name, text string, limit int) (string, error) {
	text = strings.Join(strings.Fields(text), " ")
	if utf8.RuneCountInString(text) > limit {
		return "", Errorf(TooLong, field, "A %s may have at most %d characters.", name, limit)
	}
	return text, nil
}

func checkEmoji(emoji string) (string, error) {
	if len(emoji) > markup.MaxEmoji || !isEmoji(emoji) {
		return "", Errorf(BadField, "emoji", "A reaction must be one emoji.")
	}
	return markup.NormalizeEmoji(emoji), nil
}

// ErrAfterAndLast is the error for a follow that specifies two starting points.
var ErrAfterAndLast = Errorf(BadField, "last", `A follow may have "after" or "last", but not both.`)

// CheckCursor parses a cursor.
func CheckCursor(field, text string) (streams.Cursor, error) {
	cursor, err := streams.ParseCursor(text)
	if err != nil {
		return cursor, Errorf(BadField, field, "%q must be a cursor such as 1732281600000-0@epoch, or an entry ID.", field)
	}
	return cursor, nil
}

// CheckID parses the ID of an entry.
func CheckID(field, text string) (streams.ID, error) {
	id, err := streams.ParseID(text)
	if err != nil || id.IsZero() {
		return id, Errorf(BadField, field, "%q must be an entry ID such as 1732281600000-0.", field)
	}
	return id, nil
}

// timeLayouts are the formats of a time in a URL: RFC 3339 with or without seconds, and the values of
// <input type="datetime-local"> and <input type="date">, which count as UTC.
var timeLayouts = []string{time.RFC3339Nano, "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02"}

// CheckTime parses a time, which must not be before 1970.
func CheckTime(field, text string) (time.Time, error) {
	for _, layout := range timeLayouts {
		if parsed, err := time.Parse(layout, text); err == nil && parsed.Year() >= 1970 {
			return parsed, nil
		}
	}
	return time.Time{}, Errorf(BadField, field, "%q must be a time such as 2026-03-01T09:00, which is in UTC unless it has an offset.", field)
}
