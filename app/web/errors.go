package web

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"burble/app/caller"
	"burble/app/httpguard"
	"burble/app/negotiate"
	"burble/app/pages"
	"burble/app/peer"
	"burble/app/protocol"
	"burble/streams"
	"burble/views"

	"github.com/gofiber/fiber/v2"
)

// asError converts err to an error for clients. Unlike protocol.AsError, it also converts Fiber's errors.
func asError(err error) *protocol.Error {
	if refused := (*fiber.Error)(nil); errors.As(err, &refused) {
		return fiberError(refused)
	}
	return protocol.AsError(caller.AsError(err))
}

// fiberError converts one of Fiber's errors to an error for clients.
func fiberError(err *fiber.Error) *protocol.Error {
	switch err.Code {
	case http.StatusNotFound, http.StatusMethodNotAllowed:
		return &protocol.Error{Code: protocol.NotFound, Status: err.Code, Message: "There is nothing here.",
			Title: "This page does not exist", Detail: "Check the address for mistakes."}
	case http.StatusRequestEntityTooLarge:
		return &protocol.Error{Code: protocol.TooLong, Message: fmt.Sprintf("The request is larger than %d KiB.", protocol.MaxFrame>>10),
			Title: "That is too long", Detail: "Go back: what you wrote is still there."}
	case http.StatusRequestHeaderFieldsTooLarge:
		return &protocol.Error{Code: protocol.BadFrame, Status: err.Code, Message: fmt.Sprintf("The header of the request is larger than %d KiB.", httpguard.MaxHeader>>10),
			Title: "Your browser sent too many cookies", Detail: "Delete the cookies of this site, and try again."}
	case http.StatusUpgradeRequired:
		return &protocol.Error{Code: protocol.BadFrame, Status: err.Code, Message: "This URL is only for WebSockets with the subprotocol " + protocol.Subprotocol + "."}
	}
	if err.Code < 500 {
		return &protocol.Error{Code: protocol.BadFrame, Status: err.Code, Message: http.StatusText(err.Code) + "."}
	}
	return protocol.ServerFault(err.Code, err)
}

// respondError turns a handler's error into the response: a page for a browser, otherwise JSON.
func (s *Server) respondError(c *fiber.Ctx, err error) error {
	shown := asError(err)
	if shown.Cause == nil && shown.HTTPStatus() >= 500 && !errors.Is(err, shown) {
		shown.Cause = err
	}
	s.logError(shown, "method", c.Method(), "path", loggedPath(c.Path()))
	s.setSecurityHeaders(c) // Fiber may refuse a request before any middleware runs
	c.Status(shown.HTTPStatus())
	if shown.RetryAfter > 0 {
		c.Set(fiber.HeaderRetryAfter, strconv.Itoa(shown.RetrySeconds()))
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Vary(fiber.HeaderAccept, fiber.HeaderCookie)
	if refuseEventSource(c, shown) {
		return nil
	}
	if !negotiate.PrefersHTML(c) {
		return c.JSON(shown.Body())
	}
	if errors.Is(err, streams.ErrSignIn) && c.Method() == http.MethodGet {
		return c.Redirect("/sign-in?next="+url.QueryEscape(peer.LocalPath(c.OriginalURL())), http.StatusSeeOther)
	}
	isUncertain := shown.Code == protocol.Unavailable // the message may be stored, so the error page keeps its key
	if c.Method() == http.MethodPost && !isUncertain && s.pages.RenderForm(c, shown) == nil {
		return nil
	}
	title, detail := shown.Page()
	page := views.Error{Page: s.pages.NewPage(c, title), Detail: detail, CanRetry: c.Method() == http.MethodGet && shown.IsTemporary()}
	if c.Route().Path == pages.MessagesPath {
		page.Room, page.Unsent = c.Params("room"), pages.FormValue(c, "text")
		page.Key, _ = c.Locals(formKey).(string)
	}
	return c.Render("error", page)
}

// loggedPath returns the path of a request without the code that it may contain.
func loggedPath(path string) string {
	for _, prefix := range []string{"/i/", "/l/"} {
		if strings.HasPrefix(path, prefix) {
			return prefix + "…"
		}
	}
	return path
}

// formKey is the key under which a request's locals hold the idempotency key of a posted form.
const formKey = "form key"
