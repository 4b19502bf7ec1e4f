package protocol

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"burble/streams"
)

// Code identifies an error for programs. All interfaces use the same codes.
type Code string

// The error codes of the protocol.
const (
	BadFrame    Code = "bad_frame"
	BadRoom     Code = "bad_room"
	BadField    Code = "bad_field"
	TooLong     Code = "too_long"
	TooLarge    Code = "too_large"
	NotFound    Code = "not_found"
	NotYours    Code = "not_yours"
	NotAllowed  Code = "not_allowed"
	RateLimited Code = "rate_limited"
	Full        Code = "full"
	Unavailable Code = "unavailable"
)

// statuses maps each code to its HTTP status.
var statuses = map[Code]int{
	BadFrame: http.StatusBadRequest, BadRoom: http.StatusBadRequest, BadField: http.StatusBadRequest,
	TooLong: http.StatusRequestEntityTooLarge, TooLarge: http.StatusRequestEntityTooLarge, NotFound: http.StatusNotFound,
	NotYours: http.StatusForbidden, NotAllowed: http.StatusForbidden,
	RateLimited: http.StatusTooManyRequests, Full: http.StatusInsufficientStorage,
	Unavailable: http.StatusServiceUnavailable,
}

// Error is an error for a client.
type Error struct {
	Code       Code
	Status     int           // HTTP status; 0 means the status of Code
	Message    string        // for client authors
	Title      string        // tells users what happened, without a period; if empty, derived from Message
	Detail     string        // tells users what to do next; may be empty
	Field      string        // the invalid field, if any
	RetryAfter time.Duration // 0 means unknown
	Cause      error         // for the log; never sent to clients
}

func (e *Error) Error() string { return e.Message }
func (e *Error) Unwrap() error { return e.Cause }

// HTTPStatus returns the status for an HTTP response with this error.
func (e *Error) HTTPStatus() int {
	if e.Status != 0 {
		return e.Status
	}
	return statuses[e.Code]
}

// Page returns the heading and the text for an error page.
func (e *Error) Page() (title, detail string) {
	switch {
	case e.Title != "":
		return e.Title, e.Detail
	case e.Code == BadField || e.Code == BadFrame:
		return "That request was not understood", e.Message
	}
	return strings.TrimSuffix(e.Message, "."), ""
}

// Notice returns the error as a single line to show next to a form.
func (e *Error) Notice() string {
	if e.Title == "" {
		return e.Message
	}
	return strings.TrimSpace(e.Title + ". " + e.Detail)
}

// IsTemporary reports whether the same request may succeed soon.
func (e *Error) IsTemporary() bool { return e.Code == Unavailable || e.Code == RateLimited }

// IsServerFault reports whether the server caused the error, which must then be logged.
func (e *Error) IsServerFault() bool { return e.HTTPStatus() >= 500 && e.Cause != nil }

// Body returns the body of an HTTP response with this error, to be encoded as JSON.
func (e *Error) Body() any {
	type body struct {
		Code    Code   `json:"code"`
		Field   string `json:"field,omitempty"`
		Message string `json:"message"`
	}
	return map[string]body{"error": {e.Code, e.Field, e.Message}}
}

// RetrySeconds returns the value of the Retry-After header in whole seconds, rounded up.
func (e *Error) RetrySeconds() int { return int((e.RetryAfter + time.Second - 1) / time.Second) }

// Errorf returns an error with a formatted message. field may be empty.
func Errorf(code Code, field, format string, args ...any) *Error {
	return &Error{Code: code, Field: field, Message: fmt.Sprintf(format, args...)}
}

// Sentence returns an error's text with a capital letter and a period.
func Sentence(err error) string {
	text := err.Error()
	return strings.ToUpper(text[:1]) + strings.TrimSuffix(text[1:], ".") + "."
}

// NameRequired returns the error for a request that requires a user with a name.
func NameRequired() *Error {
	return &Error{
		Code: NotAllowed, Message: "Choose a name (POST /session) or sign in first.",
		Title: "Choose a name or sign in first", Detail: "Nothing was sent.",
	}
}

// TooMany returns the error for a client that exceeds a limit. things is the plural of the limited items,
// such as "messages".
func TooMany(things string, retryAfter time.Duration) *Error {
	return &Error{
		Code: RateLimited, RetryAfter: retryAfter, Message: "Too many " + things + ". Try again later.",
		Title: "Too many " + things, Detail: "Try again later.",
	}
}

// Draining returns the error for a request to a server that is shutting down.
func Draining(retryAfter time.Duration) *Error {
	return &Error{
		Code: Unavailable, RetryAfter: retryAfter, Message: "This server is shutting down. Connect again.",
		Title: "This server is shutting down", Detail: "Try again in a moment.",
	}
}

// storageErrors maps the errors of package streams to the errors that clients see. The first match
// applies.
var storageErrors = []struct {
	err   error
	shown Error
}{
	{streams.ErrBadRoom, Error{Code: BadRoom, Field: "room",
		Message: "A room name must have 1 to 64 characters from a-z, 0-9, _ and -, and start with a letter or a digit.",
		Title:   "That is not a valid room name",
		Detail:  "A room name must have 1 to 64 characters from a-z, 0-9, _ and -, and start with a letter or a digit."}},
	{streams.ErrNotFound, Error{Code: NotFound, Field: "of", Message: "There is no such message in this room."}},
	{streams.ErrNotYours, Error{Code: NotYours, Field: "of", Message: "That message belongs to another user."}},
	{streams.ErrKeyTaken, Error{Code: BadField, Field: "key", Message: "This key has already been used for another entry. Use a new one."}},
	{streams.ErrNoFile, Error{Code: NotFound, Field: "files",
		Message: "A file of this message was not uploaded to this room by this user, was sent before, or was uploaded more than a day ago. Upload it again.",
		Title:   "A file no longer exists", Detail: "Attach it again."}},
	{streams.ErrTooManyReactions, Error{Code: BadField, Field: "emoji", Message: "That message already has 50 different reactions."}},
	{streams.ErrTooManyUsers, Error{Code: BadField, Field: "emoji", Message: "Too many users have reacted to that message."}},
	{streams.ErrHidden, Error{Code: NotFound, Field: "room", Message: "There is no such room, or you may not see it.",
		Title: "There is no such room", Detail: "Or you don’t have access to it."}},
	{streams.ErrNoRoom, Error{Code: NotFound, Field: "room", Message: "There is no such room, or you may not see it.",
		Title: "There is no such room", Detail: "Or you don’t have access to it."}},
	{streams.ErrSignIn, Error{Code: NotAllowed, Message: "This needs an account. Sign in first.",
		Title: "Sign in first", Detail: "This needs an account."}},
	{streams.ErrNotModerator, Error{Code: NotAllowed, Message: "Only a moderator of the room may do this."}},
	{streams.ErrNotOwner, Error{Code: NotAllowed, Message: "Only an owner may do this."}},
	{streams.ErrMuted, Error{Code: NotAllowed, Message: "You are muted in this room."}},
	{streams.ErrLocked, Error{Code: NotAllowed, Message: "This room is locked. Only moderators may post.",
		Title: "This room is locked", Detail: "Only moderators may post."}},
	{streams.ErrArchived, Error{Code: NotAllowed, Message: "This room is archived. Nobody may post.",
		Title: "This room is archived", Detail: "Nobody may post."}},
	{streams.ErrNoMember, Error{Code: NotFound, Field: "user", Message: "This user is not a member of the room."}},
	{streams.ErrDirect, Error{Code: NotAllowed, Message: "The members and the title of a direct room cannot change."}},
	{streams.ErrBadMembers, Error{Code: BadField, Field: "members", Message: "A direct room has 2 to 8 members."}},
	{streams.ErrFull, Error{Code: Full, Message: "Chat storage is full. Your message was not stored; keep it and try again later.",
		Title: "Chat storage is full", Detail: "Your message was not stored. Keep it and try again later."}},
	{streams.ErrUnavailable, Error{Code: Unavailable, RetryAfter: 2 * time.Second,
		Message: "Chat storage is unavailable. Try again with the same key.",
		Title:   "Chat storage is unavailable", Detail: "Your messages are safe."}},
}

// AsError converts err to the error that a client sees. An err that is neither an *Error nor listed
// in storageErrors is the server's fault. Its details go to the log, but not to the client.
func AsError(err error) *Error {
	if known := (*Error)(nil); errors.As(err, &known) {
		return known
	}
	for _, entry := range storageErrors {
		if errors.Is(err, entry.err) {
			shown := entry.shown
			shown.Cause = err
			return &shown
		}
	}
	return ServerFault(http.StatusInternalServerError, err)
}

// ServerFault returns the error for a server failure, such as a bug.
func ServerFault(status int, cause error) *Error {
	return &Error{
		Code: Unavailable, Status: status, Message: "Something went wrong on our side.",
		Title: "Something went wrong on our side", Cause: cause,
	}
}
