package web

import (
	"net/http"
	"time"

	"burble/app/caller"
	"burble/app/live"
	"burble/app/protocol"
	"burble/app/request"
	"burble/streams"

	"github.com/gofiber/fiber/v2"
)

// getFrames handles GET /r/{room}/frames, a live read of the frames that a WebSocket would receive. It is
// for clients behind a proxy that blocks WebSockets.
func (s *Server) getFrames(c *fiber.Ctx) error {
	room, from, err := parseEvents(c, "after", "last", "html")
	if err != nil {
		return err
	}
	html, err := request.Bool(c, "html")
	if err != nil {
		return err
	}
	user := caller.Of(c).User
	hello := protocol.EncodeHello(streams.User{ID: user.ID, Name: user.Name}, s.options.Durability, s.fileLimits, time.Now())
	lines := live.FrameLines(isChunked(c), hello)
	return s.startLiveRead(c, "application/x-ndjson", lines, room, from, protocol.BatchFormat{HTML: html})
}

// postFrame handles POST /r/{room}/frames, which accepts one frame, as a WebSocket does.
func (s *Server) postFrame(c *fiber.Ctx) error {
	frame, err := parseFrame(c)
	if err != nil {
		return err
	}
	user := caller.Of(c).User
	c.Set(fiber.HeaderCacheControl, "no-store")
	if frame.Type == "read" {
		if err := s.chat.AllowSignal(user); err != nil {
			return err
		}
		if err := s.chat.MarkRead(user, frame.Room, frame.ID); err != nil {
			return err
		}
		return c.SendStatus(http.StatusNoContent)
	}
	entry := frame.Entry()
	if err := s.options.Previews.Attach(&entry, user, frame.Room, frame.Preview); err != nil {
		return err
	}
	stored, err := s.chat.Append(user, caller.Of(c).Address, frame.Room, entry)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSONCharsetUTF8)
	return c.Send(protocol.EncodeStored(frame.Room, frame.Key, stored.Cursor.ID))
}

// parseFrame returns the frame in a request, which must store an entry or mark a room as read. Frames of other types
// need a WebSocket.
func parseFrame(c *fiber.Ctx) (frame protocol.Frame, err error) {
	if err := request.CheckQuery(c); err != nil {
		return frame, err
	}
	contentType, data, err := request.ReadBody(c)
	if err != nil {
		return frame, err
	}
	if contentType != fiber.MIMEApplicationJSON {
		return frame, request.Unsupported("Content-Type")
	}
	if frame, err = protocol.Parse(data); err != nil {
		return frame, err
	}
	switch {
	case frame.Entry().Kind == "" && frame.Type != "read":
		return frame, protocol.Errorf(protocol.BadFrame, "type", "A frame of type %q needs a WebSocket.", frame.Type)
	case frame.Room != c.Params("room"):
		return frame, protocol.Errorf(protocol.BadField, "room", "The room differs from the one in the path.")
	}
	return frame, nil
}
