package web

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"path"
	"time"

	"burble/app/caller"
	"burble/app/live"
	"burble/app/negotiate"
	"burble/app/protocol"
	"burble/app/request"
	"burble/app/ws"
	"burble/streams"

	"github.com/gofiber/fiber/v2"
)

// getEvents handles GET /r/{room}/events, a live read over HTTP. As with a WebSocket, the connection leaves
// the HTTP server and becomes a feed.
func (s *Server) getEvents(c *fiber.Ctx) error {
	room, from, err := parseEvents(c, "after", "last")
	if err != nil {
		return err
	}
	lines, contentType := linesFor(c)
	return s.startLiveRead(c, contentType, lines, room, from, protocol.BatchFormat{})
}

// getAudit handles GET /audit/events, a live read of the audit log.
func (s *Server) getAudit(c *fiber.Ctx) error {
	from, err := parseFrom(c, "after", "last")
	if err != nil {
		return err
	}
	lines, contentType := linesFor(c)
	return s.startLiveRead(c, contentType, lines, streams.AuditRoom, from, protocol.BatchFormat{})
}

func (s *Server) startLiveRead(c *fiber.Ctx, contentType string, lines *live.Lines, room string, from streams.From, format protocol.BatchFormat) error {
	user := caller.Of(c).User
	if err := s.chat.CheckAccess(c.UserContext(), user, room); err != nil {
		return err
	}
	open := func(ready func(*streams.Reader)) (*streams.Reader, error) {
		return s.chat.Follow(user, room, from, ready)
	}
	return s.takeOver(c, contentType, lines, func() {}, func(feed *live.Feed) {
		feed.OnRoomClosed = func(string) { feed.HangUp(ws.CloseNormal, "") }
		s.live.RunOnWorker(func() { s.startReading(feed, room, format, open) })
		feed.WaitClosed()
	})
}

// startReading follows the room before it writes the head, so that a client that has the response's header
// receives every entry stored from then on. If startReading cannot follow the room, it closes the feed.
func (s *Server) startReading(feed *live.Feed, room string, format protocol.BatchFormat, open func(ready func(*streams.Reader)) (*streams.Reader, error)) {
	defer feed.Recover()
	if err := feed.Follow(room, format, open); err != nil {
		s.log.Error("cannot follow a room", "room", room, "error", err)
		feed.HangUp(ws.CloseNormal, "")
		return
	}
	feed.Write(nil)
}

// takeOver takes the connection from the HTTP server and turns it into a feed, whose head is the response's header.
// serve writes the response to the feed, and the response ends when serve returns. takeOver calls done
// exactly once, at the end, even if it never calls serve. While the server drains, the response is
// lines.Refusal.
func (s *Server) takeOver(c *fiber.Ctx, contentType string, lines *live.Lines, done func(), serve func(*live.Feed)) error {
	c.Set(fiber.HeaderContentType, contentType)
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Set("X-Accel-Buffering", "no")
	c.Vary(fiber.HeaderAccept)
	if c.Context().IsHead() {
		done()
		return nil
	}
	release, ok := s.limits.OpenLiveReads.Take(caller.Of(c).Address, 1)
	if !ok {
		done()
		return protocol.TooMany("live reads", time.Minute)
	}
	end := func() { release(); done() }
	header := &c.Response().Header
	if isChunked(c) {
		header.SetContentLength(-1)
	}
	header.SetConnectionClose()
	head := append(bytes.Clone(header.Header()), lines.Start()...)
	from := caller.Of(c)
	c.Context().HijackSetNoResponse(true)
	c.Context().Hijack(func(wrapped net.Conn) {
		conn, _ := detach(wrapped)
		err := s.live.Start(conn, lines, from.User.ID, head, func(feed *live.Feed) {
			defer end()
			defer s.subscribe(from, feed).End()
			serve(feed)
			feed.HangUp(ws.CloseNormal, "")
		})
		if errors.Is(err, live.ErrDraining) {
			end()
			s.live.Refuse(conn, lines, append(head, lines.Refusal(protocol.Draining(time.Second))...), ws.CloseNormal, "")
		}
	})
	return nil
}

// isChunked reports whether a streamed response is chunked, which HTTP/1.0 does not allow.
func isChunked(c *fiber.Ctx) bool { return c.Context().Request.Header.IsHTTP11() }

// refuseEventSource responds with status 200 to an EventSource that is refused for a temporary reason, because
// an EventSource does not reconnect after any other status. It returns false, and leaves the response to its
// caller, if the reason is not temporary or the client does not prefer server-sent events to JSON.
func refuseEventSource(c *fiber.Ctx, refused *protocol.Error) bool {
	const events = "text/event-stream"
	if !isEventsPath(c.Path()) || c.Method() != http.MethodGet || !refused.IsTemporary() || negotiate.PreferredType(c, fiber.MIMEApplicationJSON, events) != events {
		return false
	}
	c.Status(http.StatusOK)
	c.Set(fiber.HeaderContentType, events)
	c.Response().SetBody(live.EventStream(false).Refusal(refused))
	return true
}

// isEventsPath reports whether a URL's path is that of the events of a room or of the audit log.
func isEventsPath(urlPath string) bool {
	isRoom, _ := path.Match(eventsPattern, urlPath)
	return isRoom || urlPath == auditPath
}

// parseEvents returns the room of a live read and the position from which to read it. It refuses parameters
// other than the given ones.
func parseEvents(c *fiber.Ctx, parameters ...string) (room string, from streams.From, err error) {
	if room, err = protocol.CheckRoom(c.Params("room")); err != nil {
		return room, from, err
	}
	from, err = parseFrom(c, parameters...)
	return room, from, err
}

// parseFrom returns the position from which a live read starts.
func parseFrom(c *fiber.Ctx, parameters ...string) (from streams.From, err error) {
	if err := request.CheckQuery(c, parameters...); err != nil {
		return from, err
	}
	last, err := request.Int(c, "last", protocol.DefaultLast, 0, protocol.MaxLast)
	if err != nil {
		return from, err
	}
	from = streams.Newest(last)
	if after := c.Query("after"); after != "" {
		cursor, err := protocol.CheckCursor("after", after)
		if err != nil {
			return from, err
		}
		if c.Query("last") != "" {
			return from, protocol.ErrAfterAndLast
		}
		from = streams.After(cursor)
	}
	// When an EventSource reconnects, its Last-Event-ID is newer than the cursor in its URL.
	if id := c.Get("Last-Event-ID"); id != "" {
		cursor, err := protocol.CheckCursor("Last-Event-ID", id)
		return streams.After(cursor), err
	}
	return from, nil
}

// linesFor returns the codec of the format that the client prefers, and its content type.
func linesFor(c *fiber.Ctx) (lines *live.Lines, contentType string) {
	const events, ndjson, text = "text/event-stream; charset=utf-8", "application/x-ndjson; charset=utf-8", "text/plain; charset=utf-8"
	switch negotiate.PreferredType(c, events, ndjson, text) {
	case ndjson:
		return live.NDJSON(isChunked(c)), "application/x-ndjson"
	case text:
		return live.PlainText(isChunked(c)), text
	}
	return live.EventStream(isChunked(c)), "text/event-stream"
}

// subscribe makes the feed end when the session of its caller ends.
func (s *Server) subscribe(from *caller.Caller, feed *live.Feed) (subscription *caller.Subscription) {
	s.live.RunOnWorker(func() { subscription = s.callers.Subscribe(context.Background(), from, feed) })
	return subscription
}
