package live

import (
	"fmt"
	"math/rand/v2"
	"time"

	"burble/app/plaintext"
	"burble/app/protocol"
	"burble/app/ws"
	"burble/streams"
)

// Lines is the codec of a live read over plain HTTP. It writes one of several line formats.
type Lines struct {
	format  *lineFormat
	chunked bool   // whether to use chunked encoding (RFC 9112, section 7.1); false for HTTP/1.0
	hello   []byte // the first line; may be empty
}

// lineFormat is one of the formats that Lines can write.
type lineFormat struct {
	encoding  int    // for streams.Batch.Encoded
	heartbeat string // clients ignore it
	refusal   func(dst []byte, refused *protocol.Error) []byte
	event     func(dst []byte, event event) []byte
	entry     func(dst []byte, room string, entry *streams.Entry, cursor streams.Cursor) []byte // nil to write batches as frames
}

// event is a frame other than entries.
type event struct {
	kind   string // frame type
	cursor string // may be empty
	data   []byte // JSON of the frame
	text   string // line of plain text; empty for none
}

// EventStream returns a codec that writes server-sent events.
func EventStream(chunked bool) *Lines {
	return &Lines{&lineFormat{encodingEventStream, ":\n\n", eventStreamRefusal, eventStreamEvent, eventStreamEntry}, chunked, nil}
}

// NDJSON returns a codec that writes one JSON object per line.
func NDJSON(chunked bool) *Lines {
	return &Lines{&lineFormat{encodingNDJSON, "\n", noRefusal, ndjsonEvent, ndjsonEntry}, chunked, nil}
}

// FrameLines returns a codec that writes the frames of a WebSocket, one per line, beginning with hello.
func FrameLines(chunked bool, hello []byte) *Lines {
	return &Lines{&lineFormat{encodingFrameLine, "\n", noRefusal, ndjsonEvent, nil}, chunked, append(hello, '\n')}
}

// PlainText returns a codec that writes lines for people to read in a terminal.
func PlainText(chunked bool) *Lines {
	return &Lines{&lineFormat{encodingPlainText, "\n", noRefusal, plainTextEvent, plainTextEntry}, chunked, nil}
}

// SearchResults returns a codec that writes NDJSON without events. The caller passes the results of
// the search to Chunk.
func SearchResults(chunked bool) *Lines {
	noEvent := func(dst []byte, _ event) []byte { return dst }
	return &Lines{&lineFormat{encodingNDJSON, "\n", searchRefusal, noEvent, ndjsonEntry}, chunked, nil}
}

// Start returns the first bytes of the body.
func (l *Lines) Start() []byte { return l.Chunk(l.hello) }

func (l *Lines) followed(room string, followed *streams.Followed) []byte {
	text := ""
	switch followed.State {
	case streams.Truncated:
		text = "Messages up to " + followed.First.ID.Time().UTC().Format("2006-01-02 15:04") + " are no longer available."
	case streams.Reset:
		text = "Messages were lost. The newest remaining messages follow."
	}
	return l.Chunk(l.format.event(nil, event{"followed", followed.At.String(), protocol.EncodeFollowed(room, followed), text}))
}

func (l *Lines) batch(batch *streams.Batch, format protocol.BatchFormat) []byte {
	if l.format.entry == nil {
		return l.frame(batch, format.HTML)
	}
	return l.Chunk(batch.Encoded(l.format.encoding, func(batch *streams.Batch) []byte {
		dst := make([]byte, 0, 300*len(batch.Entries))
		for i := range batch.Entries {
			cursor := streams.Cursor{ID: batch.Entries[i].ID, Epoch: batch.Upto.Epoch}
			dst = l.format.entry(dst, batch.Room, &batch.Entries[i], cursor)
		}
		return dst
	}))
}

// frame returns the batch as an "entries" frame.
func (l *Lines) frame(batch *streams.Batch, html bool) []byte {
	encoding := encodingFrameLine
	if html {
		encoding = encodingFrameLineHTML
	}
	return l.Chunk(batch.Encoded(encoding, func(batch *streams.Batch) []byte {
		return append(protocol.EncodeEntries(batch, html), '\n')
	}))
}

func (l *Lines) closed(room string, reason streams.Closed) []byte {
	text := "You are no longer a member of this room."
	switch reason {
	case streams.Deleted:
		text = "This room was deleted."
	case protocol.SignedOut:
		text = "You are signed out."
	}
	return l.Chunk(l.format.event(nil, event{"closed", "", protocol.EncodeClosed(room, reason), text}))
}

// signal returns nil, because live reads over plain HTTP get only stored entries.
func (l *Lines) signal(string, *streams.Signal) []byte { return nil }

func (l *Lines) status(away bool) []byte {
	text := "Chat storage is available again."
	if away {
		text = "Chat storage is unavailable. Missed messages will follow."
	}
	return l.Chunk(l.format.event(nil, event{"status", "", protocol.EncodeStatus(away), text}))
}

func (l *Lines) heartbeat() []byte { return l.Chunk([]byte(l.format.heartbeat)) }

func (l *Lines) end(code int, _ string) (end []byte) {
	if code == ws.CloseSignedOut {
		end = l.closed("", protocol.SignedOut)
	}
	if l.chunked {
		end = append(end, "0\r\n\r\n"...)
	}
	return end
}

// Chunk returns data as a chunk of the response. It returns nothing for empty data, because an empty
// chunk would end the response.
func (l *Lines) Chunk(data []byte) []byte {
	if !l.chunked || len(data) == 0 {
		return data
	}
	framed := fmt.Appendf(make([]byte, 0, len(data)+16), "%x\r\n", len(data))
	framed = append(framed, data...)
	return append(framed, "\r\n"...)
}

// Refusal returns the whole body of a response that refuses a request for a temporary reason. The
// status must be 200, because an EventSource never reconnects after any other status.
func (l *Lines) Refusal(refused *protocol.Error) []byte {
	return l.Chunk(l.format.refusal(nil, refused))
}

// The delay before a refused EventSource reconnects. It is short, because the EventSource also uses it
// after later disconnects.
const (
	minRetry    = time.Second
	maxRetry    = 10 * time.Second
	retrySpread = 2 * time.Second // so that clients refused together do not return together
)

func eventStreamRefusal(dst []byte, refused *protocol.Error) []byte {
	retry := min(max(refused.RetryAfter, minRetry), maxRetry) + rand.N(retrySpread)
	return fmt.Appendf(dst, ": %s\nretry: %d\n\n", refused.Message, retry.Milliseconds())
}

// noRefusal appends nothing. The client reconnects as it does whenever a response ends.
func noRefusal(dst []byte, _ *protocol.Error) []byte { return dst }

func searchRefusal(dst []byte, refused *protocol.Error) []byte {
	return append(append(dst, protocol.EncodeError(refused, "", "")...), '\n')
}

func eventStreamEvent(dst []byte, event event) []byte {
	if event.cursor != "" {
		dst = fmt.Appendf(dst, "id: %s\n", event.cursor)
	}
	return fmt.Appendf(dst, "event: %s\ndata: %s\n\n", event.kind, event.data)
}

func eventStreamEntry(dst []byte, room string, entry *streams.Entry, cursor streams.Cursor) []byte {
	dst = append(dst, "id: "...)
	dst = cursor.Append(dst)
	dst = append(dst, "\nevent: entry\ndata: "...)
	dst = protocol.AppendEntry(dst, room, entry, false)
	return append(dst, "\n\n"...)
}

func ndjsonEvent(dst []byte, event event) []byte {
	return append(append(dst, event.data...), '\n')
}

func ndjsonEntry(dst []byte, room string, entry *streams.Entry, cursor streams.Cursor) []byte {
	return append(protocol.AppendEntryWithCursor(dst, room, entry, cursor), '\n')
}

// plainTextEvent appends a line that cannot be mistaken for a message, because messages begin with
// a time or with spaces.
func plainTextEvent(dst []byte, event event) []byte {
	if event.text == "" {
		return dst
	}
	return fmt.Appendf(dst, "-- %s --\n", event.text)
}

func plainTextEntry(dst []byte, room string, entry *streams.Entry, _ streams.Cursor) []byte {
	return plaintext.AppendEntry(dst, room, entry)
}
