package main

import (
	"burble/app/protocol"
	"errors"
	"net/http"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

// asError returns err as a client sees it, including what Fiber itself refuses.
func asError(err error) *protocol.Error {
	if refused := (*fiber.Error)(nil); errors.As(err, &refused) {
		return fiberError(refused)
	}
	return protocol.AsError(err)
}

// fiberError returns an error of Fiber's as a client sees it.
func fiberError(err *fiber.Error) *protocol.Error {
	switch err.Code {
	case http.StatusNotFound, http.StatusMethodNotAllowed:
		return &protocol.Error{Code: protocol.NotFound, Status: err.Code, Message: "There is nothing here.",
			Title: "This page does not exist", Detail: "The address may be mistyped."}
	case http.StatusRequestEntityTooLarge:
		return &protocol.Error{Code: protocol.TooLong, Message: "The request is larger than 64 KiB.",
			Title: "That is too long", Detail: "Go back: what you wrote is still there."}
	case http.StatusUpgradeRequired:
		return &protocol.Error{Code: protocol.BadFrame, Status: err.Code, Message: "This address speaks WebSocket, subprotocol " + protocol.Subprotocol + "."}
	}
	if err.Code < 500 {
		return &protocol.Error{Code: protocol.BadFrame, Status: err.Code, Message: http.StatusText(err.Code) + "."}
	}
	return protocol.ServerFault(err.Code, err)
}

// wantsHTML reports whether the client prefers a page to JSON.
func wantsHTML(c *fiber.Ctx) bool {
	return accepted(c, fiber.MIMEApplicationJSONCharsetUTF8, fiber.MIMETextHTMLCharsetUTF8) == fiber.MIMETextHTMLCharsetUTF8
}

// accepted returns the type that the client prefers, the first of equals, or "" if it
// accepts none. Media types are case-insensitive (RFC 9110, section 8.3.1), but Fiber
// compares bytes, so it is given a copy of the header in lower case.
func accepted(c *fiber.Ctx, types ...string) string {
	request := new(fasthttp.RequestCtx)
	request.Request.Header.Set(fiber.HeaderAccept, strings.ToLower(c.Get(fiber.HeaderAccept)))
	lower := c.App().AcquireCtx(request)
	defer c.App().ReleaseCtx(lower)
	return lower.Accepts(types...)
}
