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
	"burble/app/protocol"
	"burble/streams"
	"burble/views"

	"github.com/gofiber/fiber/v2"
)

// asError returns err as clients see it. Unlike protocol.AsError, it also converts Fiber's errors.
func asError(err error) *protocol.Error {
	if refused := (*fiber.Error)(nil); errors.As(err, &refused) {
		return fiberError(refused)
	}
	return protocol.AsError(caller.AsError(err))
}

// fiberError returns one of Fiber's errors as clients see it.
func fiberError(err *fiber.Error) *protocol.Error {
	switch err.Code {
	case http.StatusNotFound, http.StatusMethodNotAllowed:
		return &protocol.Error{Code: protocol.NotFound, Status: err.Code, Message: "There is nothing here.",
			Title: "This page does not exist", Detail: "The address may be mistyped."}
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

// wantsHTML reports whether the client prefers HTML to JSON.
func wantsHTML(c *fiber.Ctx) bool {
	return negotiate.PreferredType(c, fiber.MIMEApplicationJSONCharsetUTF8, fiber.MIMETextHTMLCharsetUTF8) == fiber.MIMETextHTMLCharsetUTF8
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
	if !wantsHTML(c) {
		return c.JSON(shown.Body())
	}
	if errors.Is(err, streams.ErrSignIn) && c.Method() == http.MethodGet {
		return c.Redirect("/sign-in?next="+url.QueryEscape(localPath(c.OriginalURL())), http.StatusSeeOther)
	}
	isUncertain := shown.Code == protocol.Unavailable // the message may be stored, so the error page keeps its key
	if c.Method() == http.MethodPost && !isUncertain && s.renderForm(c, shown) == nil {
		return nil
	}
	title, detail := shown.Page()
	page := views.Error{Page: s.newPage(c, title), Detail: detail, CanRetry: c.Method() == http.MethodGet && shown.IsTemporary()}
	if c.Route().Path == messagesPath {
		page.Room, page.Unsent = c.Params("room"), formValue(c, "text")
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

// formKey is the key of a posted form's idempotency key in the request's locals.
const formKey = "form key"

// renderForm renders the page of a refused form again, with what the user typed. It returns an error
// unless the form's own handler refused the form, because a client that exceeds its rate must not get a
// page of history.
func (s *Server) renderForm(c *fiber.Ctx, refused *protocol.Error) error {
	page := s.newPage(c, "")
	newest := streams.Where{Limit: pageSize}
	switch c.Route().Path {
	case messagesPath:
		return s.renderRoom(c, c.Params("room"), newest, views.Room{Page: page, Notice: refused.Notice(), Draft: formValue(c, "text")})
	case "/session":
		page.NameInput = formValue(c, "name")
		if room := roomOfPath(localPath(formValue(c, "next"))); room != "" {
			return s.renderRoom(c, room, newest, views.Room{Page: page, Notice: refused.Notice()})
		}
		return s.renderHome(c, views.Home{Page: page, Error: refused.Notice()})
	}
	return fiber.ErrNotFound
}

// formValue returns what the user typed, to refill the form after an error. Fiber's FormValue would
// decompress the body.
func formValue(c *fiber.Ctx, field string) string {
	return validText(string(c.Request().PostArgs().Peek(field)))
}

// validText returns the text with invalid UTF-8 replaced by U+FFFD.
func validText(text string) string { return strings.ToValidUTF8(text, "\ufffd") }

// roomOfPath returns the room in a path such as /r/lobby, or "" if there is none.
func roomOfPath(path string) string {
	target, err := url.Parse(path)
	if err != nil {
		return ""
	}
	name, ok := strings.CutPrefix(target.Path, "/r/")
	if !ok {
		return ""
	}
	name, _, _ = strings.Cut(name, "/")
	room, err := protocol.CheckRoom(name)
	if err != nil {
		return ""
	}
	return room
}
