package main

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"burble/streams"

	"github.com/gofiber/fiber/v2"
)

// A code is the part of an error that programs read. They are the same on every surface.
type code string

// The codes, as the protocol names them.
const (
	badFrame    code = "bad_frame"
	badRoom     code = "bad_room"
	badField    code = "bad_field"
	tooLong     code = "too_long"
	notFound    code = "not_found"
	notYours    code = "not_yours"
	notAllowed  code = "not_allowed"
	rateLimited code = "rate_limited"
	full        code = "full"
	unavailable code = "unavailable"
)

// statuses are the HTTP statuses of the codes.
var statuses = map[code]int{
	badFrame: http.StatusBadRequest, badRoom: http.StatusBadRequest, badField: http.StatusBadRequest,
	tooLong: http.StatusRequestEntityTooLarge, notFound: http.StatusNotFound,
	notYours: http.StatusForbidden, notAllowed: http.StatusForbidden,
	rateLimited: http.StatusTooManyRequests, full: http.StatusInsufficientStorage,
	unavailable: http.StatusServiceUnavailable,
}

// problem is an error as a client is told it.
type problem struct {
	code       code
	status     int    // of HTTP; 0: that of the code
	message    string // for who writes programs
	people     string // for who reads pages: what happened, then what to do; empty: as message
	field      string // which field is wrong, if one is
	retryAfter time.Duration
	cause      error // for the log only
}

func (p *problem) Error() string { return p.message }
func (p *problem) Unwrap() error { return p.cause }

// httpStatus is what HTTP says for the problem.
func (p *problem) httpStatus() int {
	if p.status != 0 {
		return p.status
	}
	return statuses[p.code]
}

func refuse(code code, field, format string, args ...any) *problem {
	return &problem{code: code, field: field, message: fmt.Sprintf(format, args...)}
}

// words are what a page says: what happened, and what there is to do or to know.
func (p *problem) words() (happened, then string) {
	if p.people == "" && (p.code == badField || p.code == badFrame) {
		return "That is not understood", p.message
	}
	happened, then, _ = strings.Cut(p.forPeople(), ". ")
	return strings.TrimSuffix(happened, "."), then
}

// forPeople is the same beside a form.
func (p *problem) forPeople() string { return cmp.Or(p.people, p.message) }

// passes says whether the same may be granted in a moment.
func (p *problem) passes() bool { return p.code == unavailable || p.code == rateLimited }

// nobody refuses what only somebody with a name may do.
func nobody() *problem {
	return &problem{
		code: notAllowed, message: "Say who you are first: POST /session with a name.",
		people: "Say who you are first. Nothing was sent.",
	}
}

func slowDown(after time.Duration, what string) *problem {
	return &problem{code: rateLimited, message: "Too many " + what + ". Try again later.", retryAfter: after}
}

// known is the one place where an error of the storage becomes what a client is
// told. The first match counts.
var known = []struct {
	err     error
	problem problem
}{
	{streams.ErrBadRoom, problem{code: badRoom, field: "room", message: "A room's name is 1 to 64 of a-z, 0-9, _ and -, beginning with a letter or digit.",
		people: "No room can have that name. A room's name is 1 to 64 of a-z, 0-9, _ and -, beginning with a letter or digit."}},
	{streams.ErrNotFound, problem{code: notFound, field: "of", message: "There is no such message in this room."}},
	{streams.ErrNotYours, problem{code: notYours, field: "of", message: "That message is somebody else's."}},
	{streams.ErrKeyTaken, problem{code: badField, field: "key", message: "This key was used for something else. Make a new one."}},
	{streams.ErrTooManyReactions, problem{code: badField, field: "emoji", message: "That message has 50 different reactions already."}},
	{streams.ErrFull, problem{code: full, message: "Chat storage is full. Your message was not stored; keep it and try again later."}},
	{streams.ErrUnavailable, problem{code: unavailable, message: "Chat storage is not reachable just now. Try again with the same key.",
		people: "Chat storage does not answer. Your messages are safe.", retryAfter: 2 * time.Second}},
}

// asProblem is what a client is told of an error. What is not known is an
// accident: the client hears no details, the log all of them.
func asProblem(err error) *problem {
	if told := (*problem)(nil); errors.As(err, &told) {
		return told
	}
	for _, entry := range known {
		if errors.Is(err, entry.err) {
			told := entry.problem
			told.cause = err
			return &told
		}
	}
	if web := (*fiber.Error)(nil); errors.As(err, &web) {
		return webProblem(web)
	}
	return wentWrong(http.StatusInternalServerError, err)
}

func wentWrong(status int, cause error) *problem {
	return &problem{
		code: unavailable, status: status, message: "Something went wrong.",
		people: "Something went wrong. It is not your fault.", cause: cause,
	}
}

// webProblem is for what Fiber itself refuses.
func webProblem(err *fiber.Error) *problem {
	switch err.Code {
	case http.StatusNotFound, http.StatusMethodNotAllowed:
		return &problem{code: notFound, status: err.Code, message: "There is nothing here.",
			people: "This page is not here. The address may be mistyped."}
	case http.StatusRequestEntityTooLarge:
		return &problem{code: tooLong, message: "The request is larger than 64 KiB.",
			people: "That is too long. Go back: what you wrote is still there."}
	case http.StatusUpgradeRequired:
		return &problem{code: badFrame, status: err.Code, message: "This address speaks WebSocket, subprotocol " + subprotocol + "."}
	}
	if err.Code < 500 {
		return &problem{code: badFrame, status: err.Code, message: http.StatusText(err.Code) + "."}
	}
	return wentWrong(err.Code, err)
}

// accident says whether the problem is one for the log.
func (p *problem) accident() bool { return p.httpStatus() >= 500 && p.cause != nil }

// json is the error object that HTTP answers with.
func (p *problem) json() fiber.Map {
	body := fiber.Map{"code": p.code, "message": p.message}
	if p.field != "" {
		body["field"] = p.field
	}
	return fiber.Map{"error": body}
}

// retrySeconds is the Retry-After header, in whole seconds, rounded up.
func (p *problem) retrySeconds() int { return int((p.retryAfter + time.Second - 1) / time.Second) }

// wantsHTML says whether a browser asks for a page.
func wantsHTML(c *fiber.Ctx) bool {
	return accepted(c, fiber.MIMEApplicationJSONCharsetUTF8, fiber.MIMETextHTMLCharsetUTF8) == fiber.MIMETextHTMLCharsetUTF8
}

// accepted is which of the types the client would rather have, of equals the first; ""
// if none. Types have no case (RFC 9110, section 8.3.1), which Fiber does not know.
func accepted(c *fiber.Ctx, types ...string) string {
	c.Request().Header.Set(fiber.HeaderAccept, strings.ToLower(c.Get(fiber.HeaderAccept)))
	return c.Accepts(types...)
}
