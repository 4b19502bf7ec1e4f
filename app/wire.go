package main

import (
	"cmp"
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf8"

	"burble/app/identity"
	"burble/app/markup"
	"burble/streams"
)

// The JSON of the protocol, written by hand: a batch is encoded once for all
// its readers, but every append is encoded by somebody.

const hexDigits = "0123456789abcdef"

// appendString appends text as a JSON string.
func appendString(dst []byte, text string) []byte {
	if !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text, "\uFFFD")
	}
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, text[start:i]...)
		start = i + 1
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	dst = append(dst, text[start:]...)
	return append(dst, '"')
}

// appendField appends ,"name":"value".
func appendField(dst []byte, name, value string) []byte {
	dst = append(dst, ',', '"')
	dst = append(dst, name...)
	dst = append(dst, '"', ':')
	return appendString(dst, value)
}

func appendIDField(dst []byte, name string, id streams.ID) []byte {
	dst = append(dst, ',', '"')
	dst = append(dst, name...)
	dst = append(dst, '"', ':', '"')
	dst = id.Append(dst)
	return append(dst, '"')
}

func appendCursorField(dst []byte, name string, cursor streams.Cursor) []byte {
	dst = append(dst, ',', '"')
	dst = append(dst, name...)
	dst = append(dst, '"', ':', '"')
	dst = cursor.Append(dst)
	return append(dst, '"')
}

// appendEntry appends an entry as the protocol has it, with the text rendered
// too if html is set.
func appendEntry(dst []byte, entry *streams.Entry, html bool) []byte {
	dst = append(dst, `{"id":"`...)
	dst = entry.ID.Append(dst)
	dst = append(dst, '"')
	if entry.Kind == streams.Unreadable {
		return append(dst, `,"kind":"unreadable"}`...)
	}
	dst = append(dst, `,"n":`...)
	dst = strconv.AppendInt(dst, entry.N, 10)
	dst = appendField(dst, "kind", string(entry.Kind))
	if entry.Key != "" {
		dst = appendField(dst, "key", entry.Key)
	}
	if !entry.Of.IsZero() {
		dst = appendIDField(dst, "of", entry.Of)
	}
	dst = append(dst, `,"user":`...)
	dst = appendUser(dst, entry.User)
	switch entry.Kind {
	case streams.Message:
		dst = appendMessage(dst, entry)
	case streams.Edit, streams.Topic:
		dst = appendField(dst, "text", entry.Text)
	case streams.React:
		dst = appendField(dst, "emoji", entry.Emoji)
		dst = append(dst, `,"on":`...)
		dst = strconv.AppendBool(dst, entry.On)
	}
	if html && !entry.Deleted && (entry.Kind == streams.Message || entry.Kind == streams.Edit) {
		dst = appendField(dst, "html", markup.HTML(entry))
	}
	return append(dst, '}')
}

// appendMessage appends what only messages have, folded or not.
func appendMessage(dst []byte, entry *streams.Entry) []byte {
	if entry.Deleted {
		dst = append(dst, `,"deleted":true`...)
	} else {
		dst = appendField(dst, "text", entry.Text)
	}
	if !entry.ReplyTo.IsZero() {
		dst = appendIDField(dst, "reply_to", entry.ReplyTo)
	}
	if !entry.Edited.IsZero() {
		dst = appendIDField(dst, "edited", entry.Edited)
	}
	if len(entry.Reactions) > 0 {
		reactions, _ := json.Marshal(entry.Reactions) // strings only: cannot fail
		dst = append(dst, `,"reactions":`...)
		dst = append(dst, reactions...)
	}
	return dst
}

func appendUser(dst []byte, user streams.User) []byte {
	dst = append(dst, `{"id":`...)
	dst = appendString(dst, user.ID)
	dst = appendField(dst, "name", user.Name)
	return append(dst, '}')
}

// appendEntries appends a JSON array of entries.
func appendEntries(dst []byte, entries []streams.Entry, html bool) []byte {
	dst = append(dst, '[')
	for i := range entries {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendEntry(dst, &entries[i], html)
	}
	return append(dst, ']')
}

// entriesJSON is the frame "entries".
func entriesJSON(batch *streams.Batch, html bool) []byte {
	dst := make([]byte, 0, 200+300*len(batch.Entries))
	dst = append(dst, `{"type":"entries"`...)
	dst = appendField(dst, "room", batch.Room)
	dst = appendCursorField(dst, "after", batch.After)
	dst = appendCursorField(dst, "upto", batch.Upto)
	dst = append(dst, `,"entries":`...)
	dst = appendEntries(dst, batch.Entries, html)
	return append(dst, '}')
}

// followedJSON is the frame "followed".
func followedJSON(room string, followed *streams.Followed) []byte {
	dst := []byte(`{"type":"followed"`)
	dst = appendField(dst, "room", room)
	dst = appendField(dst, "state", string(followed.State))
	dst = appendCursorField(dst, "at", followed.At)
	if followed.State == streams.Truncated {
		dst = appendCursorField(dst, "first", followed.First)
	}
	dst = appendCursorField(dst, "last", followed.Last)
	dst = append(dst, `,"n":`...)
	dst = strconv.AppendInt(dst, followed.LastN, 10)
	return append(dst, '}')
}

// statusJSON is the frame "status".
func statusJSON(away bool) []byte {
	if away {
		return []byte(`{"type":"status","redis":"away"}`)
	}
	return []byte(`{"type":"status","redis":"back"}`)
}

// storedJSON is the frame "stored".
func storedJSON(room, key string, id streams.ID) []byte {
	dst := []byte(`{"type":"stored"`)
	dst = appendField(dst, "room", room)
	dst = appendField(dst, "key", key)
	dst = appendIDField(dst, "id", id)
	return append(dst, '}')
}

// helloJSON is the frame "hello".
func helloJSON(user identity.User, durability streams.Durability) []byte {
	dst := []byte(`{"type":"hello","protocol":"` + subprotocol + `","user":`)
	if user.IsZero() {
		dst = append(dst, "null"...)
	} else {
		dst = appendUser(dst, streams.User(user))
	}
	dst = appendField(dst, "durability", string(durability))
	dst = append(dst, `,"limits":{"text":`...)
	dst = strconv.AppendInt(dst, textLimit, 10)
	return append(dst, "}}"...)
}

// presentJSON is the frame "present".
func presentJSON(room string, count int, people []streams.User) []byte {
	dst := []byte(`{"type":"present"`)
	dst = appendField(dst, "room", room)
	dst = append(dst, `,"count":`...)
	dst = strconv.AppendInt(dst, int64(count), 10)
	dst = append(dst, `,"users":[`...)
	for i, user := range people {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendUser(dst, user)
	}
	return append(dst, "]}"...)
}

// signalJSON is the frame "signal", and for a crowd's number "present".
func signalJSON(room string, signal *streams.Signal) []byte {
	if signal.Kind == streams.Count {
		return presentJSON(room, signal.Count, nil)
	}
	dst := []byte(`{"type":"signal"`)
	dst = appendField(dst, "room", room)
	dst = appendField(dst, "kind", string(signal.Kind))
	dst = append(dst, `,"user":`...)
	dst = appendUser(dst, signal.User)
	if !signal.ID.IsZero() {
		dst = appendIDField(dst, "id", signal.ID)
	}
	return append(dst, '}')
}

// roomsJSON is the answer of GET /rooms.
func roomsJSON(rooms []streams.Room) []byte {
	dst := []byte{'['}
	for i, room := range rooms {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, `{"room":`...)
		dst = appendString(dst, room.Name)
		dst = appendField(dst, "title", cmp.Or(room.Topic, room.Name))
		dst = appendIDField(dst, "last", room.Last)
		for _, number := range []struct {
			name  string
			value int
		}{{"unread", room.Unread}, {"mentions", room.Mentions}, {"present", room.Present}} {
			dst = append(dst, `,"`+number.name+`":`...)
			dst = strconv.AppendInt(dst, int64(number.value), 10)
		}
		dst = appendBound(dst, "read", room.Read)
		dst = append(dst, '}')
	}
	return append(dst, ']')
}

// errorJSON is the frame "error". Room and key are those of the frame that is
// answered, if it had them.
func errorJSON(problem *problem, room, key string) []byte {
	dst := []byte(`{"type":"error"`)
	dst = appendField(dst, "code", string(problem.code))
	dst = appendField(dst, "message", problem.message)
	for _, field := range []struct{ name, value string }{{"room", room}, {"key", key}, {"field", problem.field}} {
		if field.value != "" {
			dst = appendField(dst, field.name, field.value)
		}
	}
	if problem.retryAfter > 0 {
		dst = append(dst, `,"retry_after_ms":`...)
		dst = strconv.AppendInt(dst, max(1, problem.retryAfter.Milliseconds()), 10)
	}
	return append(dst, '}')
}
