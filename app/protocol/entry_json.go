package protocol

import (
	"encoding/json"
	"strconv"
	"time"

	"burble/app/markup"
	"burble/app/rawjson"
	"burble/streams"

	"golang.org/x/time/rate"
)

// This file encodes entries and batches by hand. encoding/json would take several times as long, and
// every server with readers encodes each stored entry at least once. All other frames are structs in
// server_frame.go.

// appendIDField appends `,"name":"<id>"`.
func appendIDField(dst []byte, name string, id streams.ID) []byte {
	dst = append(dst, ',', '"')
	dst = append(dst, name...)
	dst = append(dst, '"', ':', '"')
	dst = id.Append(dst)
	return append(dst, '"')
}

// AppendCursorField appends `,"name":"<cursor>"`.
func AppendCursorField(dst []byte, name string, cursor streams.Cursor) []byte {
	dst = append(dst, ',', '"')
	dst = append(dst, name...)
	dst = append(dst, '"', ':', '"')
	dst = cursor.Append(dst)
	return append(dst, '"')
}

// Render returns an entry's text as HTML.
type Render func(*streams.Entry) string

// AppendEntry appends an entry of the room as a JSON object. If html is set, the object also contains the
// text rendered as HTML.
func AppendEntry(dst []byte, room string, entry *streams.Entry, html bool) []byte {
	if html {
		return AppendRendered(dst, room, entry, markup.HTML)
	}
	return AppendRendered(dst, room, entry, nil)
}

// AppendRendered appends an entry of the room as a JSON object. If render is not nil, the object also
// contains the HTML that it returns.
func AppendRendered(dst []byte, room string, entry *streams.Entry, render Render) []byte {
	dst = append(dst, `{"id":"`...)
	dst = entry.ID.Append(dst)
	dst = append(dst, '"')
	if entry.Kind == streams.Unreadable {
		return append(dst, `,"kind":"unreadable"}`...)
	}
	dst = append(dst, `,"n":`...)
	dst = strconv.AppendInt(dst, entry.Number, 10)
	dst = rawjson.AppendField(dst, "kind", string(entry.Kind))
	if entry.Key != "" {
		dst = rawjson.AppendField(dst, "key", entry.Key)
	}
	if !entry.Of.IsZero() {
		dst = appendIDField(dst, "of", entry.Of)
	}
	dst = append(dst, `,"user":`...)
	dst = appendUser(dst, entry.User)
	dst = appendKindFields(dst, room, entry, render)
	return append(dst, '}')
}

// AppendMatch appends a message found by a search as a JSON object, with the ranges that match.
func AppendMatch(dst []byte, room string, entry *streams.Entry, render Render, matches [][2]int) []byte {
	dst = AppendRendered(dst, room, entry, render)
	if len(matches) == 0 {
		return dst
	}
	places, _ := json.Marshal(matches) // never fails, because it contains only numbers
	dst = append(dst[:len(dst)-1], `,"matches":`...)
	return append(append(dst, places...), '}')
}

// AppendEntryWithCursor appends an entry as a JSON object that includes its cursor. A client that
// reads lines can resume from this cursor.
func AppendEntryWithCursor(dst []byte, room string, entry *streams.Entry, cursor streams.Cursor) []byte {
	dst = AppendEntry(dst, room, entry, false)
	dst = AppendCursorField(dst[:len(dst)-1], "cursor", cursor)
	return append(dst, '}')
}

// appendMessage appends the fields that are specific to messages.
func appendMessage(dst []byte, room string, entry *streams.Entry, render Render) []byte {
	if entry.Deleted {
		dst = append(dst, `,"deleted":true`...)
	} else {
		dst = rawjson.AppendField(dst, "text", entry.Text)
	}
	if !entry.ReplyTo.IsZero() {
		dst = appendIDField(dst, "reply_to", entry.ReplyTo)
	}
	if !entry.Edited.IsZero() {
		dst = appendIDField(dst, "edited", entry.Edited)
	}
	if len(entry.Reactions) > 0 {
		reactions, _ := json.Marshal(entry.Reactions) // never fails, because the map contains only strings
		dst = append(dst, `,"reactions":`...)
		dst = append(dst, reactions...)
	}
	if len(entry.MoreUsers) > 0 {
		more, _ := json.Marshal(entry.MoreUsers)
		dst = append(dst, `,"more_users":`...)
		dst = append(dst, more...)
	}
	return appendHTML(appendFiles(appendMentions(dst, entry), room, entry), entry, render)
}

// appendMentions appends the folded names that a message mentions, if there are any.
func appendMentions(dst []byte, entry *streams.Entry) []byte {
	if len(entry.Mentions) == 0 || entry.Deleted {
		return dst
	}
	list, _ := json.Marshal(entry.Mentions) // never fails, because it contains only strings
	return append(append(dst, `,"mentions":`...), list...)
}

// appendHTML appends the text rendered as HTML if render is not nil and the entry is not deleted.
func appendHTML(dst []byte, entry *streams.Entry, render Render) []byte {
	if render == nil || entry.Deleted {
		return dst
	}
	return rawjson.AppendField(dst, "html", render(entry))
}

func appendUser(dst []byte, user streams.User) []byte {
	dst = append(dst, `{"id":`...)
	dst = rawjson.AppendString(dst, user.ID)
	dst = rawjson.AppendField(dst, "name", user.Name)
	return append(dst, '}')
}

// appendEntries appends a JSON array of entries of the room.
func appendEntries(dst []byte, room string, entries []streams.Entry, render Render) []byte {
	dst = append(dst, '[')
	for i := range entries {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = AppendRendered(dst, room, &entries[i], render)
	}
	return append(dst, ']')
}

// maxBatchRendering limits the time for rendering one batch, because all readers of the room wait for it.
// batchRendering, in microseconds per second, limits all rendering to a quarter of one processor. Messages
// beyond either limit are sent as plain text.
const maxBatchRendering = 100 * time.Millisecond

var batchRendering = rate.NewLimiter(250_000, 1_000_000)

// EncodeEntries returns an "entries" frame.
func EncodeEntries(batch *streams.Batch, html bool) []byte {
	dst := make([]byte, 0, 200+300*len(batch.Entries))
	dst = append(dst, `{"type":"entries"`...)
	dst = rawjson.AppendField(dst, "room", batch.Room)
	dst = AppendCursorField(dst, "after", batch.After)
	dst = AppendCursorField(dst, "upto", batch.Upto)
	dst = append(dst, `,"entries":`...)
	var render Render
	if html {
		render = (&markup.Renderer{TimeLimit: maxBatchRendering, SharedLimit: batchRendering}).HTML
	}
	dst = appendEntries(dst, batch.Room, batch.Entries, render)
	return append(dst, '}')
}

// EncodeFollowed returns a "followed" frame.
func EncodeFollowed(room string, followed *streams.Followed) []byte {
	dst := []byte(`{"type":"followed"`)
	dst = rawjson.AppendField(dst, "room", room)
	dst = rawjson.AppendField(dst, "state", string(followed.State))
	dst = AppendCursorField(dst, "at", followed.At)
	if followed.State == streams.Truncated {
		dst = AppendCursorField(dst, "first", followed.First)
	}
	dst = AppendCursorField(dst, "last", followed.Last)
	dst = append(dst, `,"n":`...)
	dst = strconv.AppendInt(dst, followed.LastNumber, 10)
	return append(dst, '}')
}

// EncodePage returns a page of history as JSON: the response to GET /r/{room}/messages. The entries
// contain their HTML if render is not nil. changes are the entries that changed the room or its members.
func EncodePage(room string, page streams.Page, changes []streams.Entry, render Render) []byte {
	dst := rawjson.AppendString([]byte(`{"room":`), room)
	dst = AppendCursorField(dst, "as_of", page.AsOf)
	dst = append(dst, `,"entries":`...)
	dst = appendEntries(dst, room, page.Entries, render)
	dst = appendIDOrNull(dst, "older", page.Older)
	dst = appendIDOrNull(dst, "newer", page.Newer)
	dst = append(dst, `,"trimmed":`...)
	dst = strconv.AppendBool(dst, page.Trimmed)
	if len(changes) > 0 {
		dst = append(dst, `,"changes":`...)
		dst = appendEntries(dst, room, changes, nil)
	}
	return append(dst, '}')
}

// EncodeSearchEnd returns the last line of a search's response. searched is the number of messages
// searched. older is the ID before which the next search continues, or zero if there are no older
// messages.
func EncodeSearchEnd(searched int, older streams.ID) []byte {
	dst := append([]byte(`{"done":true,"searched":`), strconv.Itoa(searched)...)
	return append(appendIDOrNull(dst, "older", older), '}')
}

// appendIDOrNull appends `,"name":"<id>"`, or `,"name":null` for the zero ID.
func appendIDOrNull(dst []byte, name string, id streams.ID) []byte {
	if id.IsZero() {
		return append(dst, `,"`+name+`":null`...)
	}
	return appendIDField(dst, name, id)
}
