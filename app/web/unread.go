package web

import (
	"io"

	"burble/app/protocol"

	"github.com/gofiber/fiber/v2"
)

// smallResponse is the size up to which a response is not counted, because the kernel buffers all of
// it at once.
const smallResponse = 64 << 10

// limitUnread is middleware that bounds how many bytes of responses wait for one address to read
// them. Otherwise a client could request large responses and read none of them.
func (s *Server) limitUnread(c *fiber.Ctx) error {
	if err := c.Next(); err != nil {
		return err
	}
	body := c.Response().Body()
	if len(body) <= smallResponse {
		return nil
	}
	releaseOwn, ok := s.limits.unreadBytes.Take(s.callerOf(c).address, len(body))
	if !ok {
		return protocol.TooMany("unread responses", responseTimeout/4)
	}
	releaseAll, ok := s.limits.allUnreadBytes.Take("", len(body))
	if !ok {
		releaseOwn()
		return protocol.TooMany("unread responses", responseTimeout/4)
	}
	release := func() { releaseOwn(); releaseAll() }
	c.Response().SwapBody(nil) // so that fasthttp does not reuse body
	c.Context().SetBodyStream(&unreadBody{body, release}, len(body))
	return nil
}

// unreadBody is the body of a response. It counts against its address until it is closed.
type unreadBody struct {
	rest    []byte
	release func()
}

// Read implements io.Reader.
func (u *unreadBody) Read(into []byte) (int, error) {
	if len(u.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(into, u.rest)
	u.rest = u.rest[n:]
	return n, nil
}

// Close implements io.Closer. fasthttp calls it when it has written the response, or failed to.
func (u *unreadBody) Close() error {
	u.release()
	return nil
}
