package main

import (
	"bytes"
	"fmt"
	"net"
	"strings"
	"time"

	"burble/app/protocol"
	"burble/streams"

	"github.com/gofiber/fiber/v2"
)

// events is GET /r/{room}/events: the live read for everything that speaks HTTP.
// The connection is taken over from the HTTP server, so that a read here is the
// same as on a socket: written by the pump, with a deadline for each write.
func (a *App) events(c *fiber.Ctx) error {
	room, from, err := a.eventsAsked(c)
	if err != nil {
		return err
	}
	lines, contentType := lineCodecFor(c)
	user := a.user(c)
	return a.takeOver(c, contentType, lines, func() {}, func(f *feed) {
		if err := f.follow(user, room, from, protocol.Form{}); err != nil {
			a.log.Error("cannot follow", "room", room, "error", err)
			return
		}
		f.tellAway()
		f.untilGone()
	})
}

// takeOver answers with lines that are written as they come, on a connection
// that leaves the HTTP server. When serve returns, the answer ends. Whether it came
// to that or not, done is called when all is over.
func (a *App) takeOver(c *fiber.Ctx, contentType string, lines *lineCodec, done func(), serve func(*feed)) error {
	if a.feeds.isDraining() {
		done()
		return protocol.Draining(time.Second)
	}
	c.Set(fiber.HeaderContentType, contentType)
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Set("X-Accel-Buffering", "no")
	if c.Context().IsHead() {
		done()
		return nil
	}
	giveBack, ok := a.limits.live.Take(a.caller(c).address, 1)
	if !ok {
		done()
		return protocol.TooMany("live reads", time.Minute)
	}
	ended := func() { giveBack(); done() }
	lines.chunked = c.Context().Request.Header.IsHTTP11()
	header := &c.Response().Header
	if lines.chunked {
		header.SetContentLength(-1)
	}
	header.SetConnectionClose()
	head := bytes.Clone(header.Header())
	c.Context().HijackSetNoResponse(true)
	c.Context().Hijack(func(wrapped net.Conn) {
		conn, _ := detach(wrapped)
		f := &feed{app: a, conn: conn, codec: lines, log: a.log, rest: head}
		running := a.run(f, func() {
			defer ended()
			if f.write(nil) {
				serve(f)
			}
			f.hangUp(closeNormal, "")
		})
		if !running { // the client comes back to another server
			ended()
			f.finish()
		}
	})
	return nil
}

func (a *App) eventsAsked(c *fiber.Ctx) (room string, from streams.From, err error) {
	if room, err = protocol.CheckRoom(c.Params("room")); err != nil {
		return room, from, err
	}
	if err := onlyQueries(c, "after", "last"); err != nil {
		return room, from, err
	}
	last, err := queryInt(c, "last", protocol.DefaultLast, 0, protocol.MaxLast)
	if err != nil {
		return room, from, err
	}
	from = streams.Newest(last)
	if after := c.Query("after"); after != "" {
		cursor, err := protocol.CheckCursor("after", after)
		if err != nil {
			return room, from, err
		}
		if c.Query("last") != "" {
			return room, from, protocol.ErrAfterAndLast
		}
		from = streams.After(cursor)
	}
	// What a browser resends by itself is newer than what the address says.
	if id := c.Get("Last-Event-ID"); id != "" {
		cursor, err := protocol.CheckCursor("Last-Event-ID", id)
		return room, streams.After(cursor), err
	}
	return room, from, nil
}

// untilGone returns when the client closes the connection, or is sent away.
func (f *feed) untilGone() {
	var discard [64]byte
	for {
		if _, err := f.conn.Read(discard[:]); err != nil {
			f.hangUp(closeGone, "")
			return
		}
	}
}

// lineCodec says things in lines: server-sent events, NDJSON, or plain text.
type lineCodec struct {
	form    int
	chunked bool // HTTP/1.1: RFC 9112 section 7.1
	empty   string
	event   func(dst []byte, kind, cursor string, data []byte, words string) []byte
	entry   func(dst []byte, entry *streams.Entry, cursor streams.Cursor) []byte
}

// lineCodecFor picks the form that the client accepts.
func lineCodecFor(c *fiber.Ctx) (*lineCodec, string) {
	const events, lines, text = "text/event-stream; charset=utf-8", "application/x-ndjson; charset=utf-8", "text/plain; charset=utf-8"
	switch accepted(c, events, lines, text) {
	case lines:
		return &lineCodec{form: formLines, empty: "\n", event: lineEvent, entry: lineEntry}, "application/x-ndjson"
	case text:
		return &lineCodec{form: formText, empty: "\n", event: textEvent, entry: textEntry}, text
	}
	return &lineCodec{form: formEvents, empty: ":\n\n", event: sseEvent, entry: sseEntry}, "text/event-stream"
}

func (l *lineCodec) followed(room string, followed *streams.Followed) []byte {
	words := ""
	switch followed.State {
	case streams.Truncated:
		words = "Messages up to " + followed.First.ID.Time().UTC().Format("2006-01-02 15:04") + " are no longer kept."
	case streams.Reset:
		words = "Messages were lost. The newest there are follow."
	}
	return l.chunk(l.event(nil, "followed", followed.At.String(), protocol.EncodeFollowed(room, followed), words))
}

func (l *lineCodec) batch(batch *streams.Batch, _ protocol.Form) []byte {
	lines := batch.Encoded(l.form, func(batch *streams.Batch) []byte {
		dst := make([]byte, 0, 300*len(batch.Entries))
		for i := range batch.Entries {
			cursor := streams.Cursor{ID: batch.Entries[i].ID, Epoch: batch.Upto.Epoch}
			dst = l.entry(dst, &batch.Entries[i], cursor)
		}
		return dst
	})
	return l.chunk(lines)
}

// signal is silent: who follows in lines has come for what is kept.
func (l *lineCodec) signal(string, *streams.Signal) []byte { return nil }

func (l *lineCodec) status(away bool) []byte {
	words := "Chat storage is reachable again."
	if away {
		words = "Chat storage is not reachable just now. What is missed will follow."
	}
	return l.chunk(l.event(nil, "status", "", protocol.EncodeStatus(away), words))
}

func (l *lineCodec) beat() []byte { return l.chunk([]byte(l.empty)) }

func (l *lineCodec) end(int, string) []byte {
	if l.chunked {
		return []byte("0\r\n\r\n")
	}
	return nil
}

// chunk frames data for the connection. An empty chunk would be the end.
func (l *lineCodec) chunk(data []byte) []byte {
	if !l.chunked || len(data) == 0 {
		return data
	}
	framed := fmt.Appendf(make([]byte, 0, len(data)+16), "%x\r\n", len(data))
	framed = append(framed, data...)
	return append(framed, "\r\n"...)
}

func sseEvent(dst []byte, kind, cursor string, data []byte, _ string) []byte {
	if cursor != "" {
		dst = fmt.Appendf(dst, "id: %s\n", cursor)
	}
	return fmt.Appendf(dst, "event: %s\ndata: %s\n\n", kind, data)
}

func sseEntry(dst []byte, entry *streams.Entry, cursor streams.Cursor) []byte {
	dst = append(dst, "id: "...)
	dst = cursor.Append(dst)
	dst = append(dst, "\nevent: entry\ndata: "...)
	dst = protocol.AppendEntry(dst, entry, false)
	return append(dst, "\n\n"...)
}

func lineEvent(dst []byte, _, _ string, data []byte, _ string) []byte {
	return append(append(dst, data...), '\n')
}

// lineEntry is an entry with its cursor, for programs that keep their place.
func lineEntry(dst []byte, entry *streams.Entry, cursor streams.Cursor) []byte {
	return append(protocol.AppendEntryWithCursor(dst, entry, cursor), '\n')
}

// textEvent is the words of an event that a person should know of: a line that cannot
// be taken for a message, which begins with a time, or with spaces.
func textEvent(dst []byte, _, _ string, _ []byte, words string) []byte {
	if words == "" {
		return dst
	}
	return fmt.Appendf(dst, "-- %s --\n", words)
}

// silent is for a search, which has come for messages alone.
func silent(dst []byte, _, _ string, _ []byte, _ string) []byte { return dst }

func textEntry(dst []byte, entry *streams.Entry, _ streams.Cursor) []byte {
	clock := entry.ID.Time().UTC().Format("15:04")
	switch entry.Kind {
	case streams.Message:
		return fmt.Appendf(dst, "%s %s: %s\n", clock, printable(entry.User.Name), printable(entry.Text))
	case streams.Edit:
		return fmt.Appendf(dst, "%s %s changed a message: %s\n", clock, printable(entry.User.Name), printable(entry.Text))
	case streams.Delete:
		return fmt.Appendf(dst, "%s %s deleted a message\n", clock, printable(entry.User.Name))
	}
	return dst
}

// printable keeps text from commanding the terminal that shows it. A message of
// several lines is indented, so that none can pass for another's.
func printable(text string) string {
	text = strings.ReplaceAll(text, "\n", "\n      ")
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r >= 0x7f && r < 0xa0 {
			return '\uFFFD'
		}
		return r
	}, text)
}
