package web

import (
	"net/http"
	"path"
	"time"

	"burble/app/caller"
	"burble/app/httpguard"
	"burble/app/limit"
	"burble/app/protocol"

	"github.com/gofiber/fiber/v2"
)

// limitUnread does not count responses of up to smallResponse bytes, because the kernel can buffer them whole.
const smallResponse = 64 << 10

// limitAddress is middleware that counts a new live read against the address's rate limit for live
// reads, and any other request against its rate limit for requests.
func (s *Server) limitAddress(c *fiber.Ctx) error {
	allow := s.limits.AllowRequest
	isEvents := isEventsPath(c.Path())
	isFrames, _ := path.Match(framesPattern, c.Path())
	if isEvents || isFrames && c.Method() == http.MethodGet || c.Path() == "/ws" {
		allow = s.limits.AllowLiveRead
	}
	if err := allow(caller.Of(c).Address); err != nil {
		return err
	}
	return c.Next()
}

// limitFiles is middleware that counts a request for a static file against the address's rate limit for
// static files.
func (s *Server) limitFiles(c *fiber.Ctx) error {
	if err := s.limits.AllowFile(caller.Of(c).Address); err != nil {
		return err
	}
	return c.Next()
}

// limitUnread is middleware that limits how many bytes of responses one address may leave unread.
func (s *Server) limitUnread(c *fiber.Ctx) error {
	if err := c.Next(); err != nil {
		return err
	}
	if c.Response().IsBodyStream() { // not held in memory
		return nil
	}
	body := c.Response().Body()
	if len(body) <= smallResponse {
		return nil
	}
	held, err := s.limits.CountUnread(caller.Of(c).Address, body)
	if err != nil {
		return err
	}
	c.Response().SwapBody(nil) // so that fasthttp does not reuse body
	c.Context().SetBodyStream(held, len(body))
	return nil
}

// refuseSpare is middleware that refuses requests on a spare connection: one that exceeds the server's capacity.
func (s *Server) refuseSpare(c *fiber.Ctx) error {
	if !limit.IsSpare(httpguard.Unwrap(c.Context().Conn())) {
		return c.Next()
	}
	return &protocol.Error{
		Code: protocol.Unavailable, RetryAfter: time.Second, Message: "The server has too many connections. Try again later.",
		Title: "Too many connections", Detail: "Try again in a moment.",
	}
}

// closeSpare is middleware that closes a spare connection after one response.
func closeSpare(c *fiber.Ctx) error {
	err := c.Next()
	if limit.IsSpare(httpguard.Unwrap(c.Context().Conn())) {
		c.Context().SetConnectionClose()
	}
	return err
}
