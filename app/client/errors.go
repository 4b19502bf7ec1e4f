package client

import (
	"cmp"
	"fmt"
	"net/http"
	"time"
)

// Error is a refusal: an error frame, or an HTTP response other than 2xx.
type Error struct {
	Code         string `json:"code"` // such as bad_field; "" if the response is not from Burble
	Message      string `json:"message"`
	Field        string `json:"field"`
	RetryAfterMS int64  `json:"retry_after_ms"`

	Room string `json:"room"` // of the refused frame
	Key  string `json:"key"`

	Status int         `json:"-"` // of an HTTP response
	Header http.Header `json:"-"`
}

func (e *Error) Error() string {
	text := e.Code
	if e.Status != 0 {
		text = fmt.Sprintf("%d %s", e.Status, cmp.Or(e.Code, http.StatusText(e.Status), "from a proxy"))
	}
	if e.Field != "" {
		text += " in " + e.Field
	}
	return text + ": " + e.Message
}

// IsFinal reports whether the error settles the request, so that repeating it is pointless. After
// unavailable, the outcome is unknown. After full and rate_limited, the request had no effect, but may
// succeed later.
func (e *Error) IsFinal() bool {
	switch e.Code {
	case "unavailable", "full", "rate_limited":
		return false
	case "": // the response comes from a proxy
		return e.Status < http.StatusInternalServerError && e.Status != http.StatusTooManyRequests && e.Status != http.StatusRequestTimeout
	}
	return true
}

// RetryAfter returns how long to wait before repeating the request, or 0 if the server set no time.
func (e *Error) RetryAfter() time.Duration { return time.Duration(e.RetryAfterMS) * time.Millisecond }

// CloseError is the close frame that ended a connection.
type CloseError struct {
	Code   int
	Reason string
}

func (e *CloseError) Error() string { return fmt.Sprintf("closed with %d: %s", e.Code, e.Reason) }

// Close codes after which a client reconnects with its cursor. Of the other codes, 1000 and 4001 (the session has
// ended) are normal, and the rest mean that the client has a bug.
const (
	ClosePolicy   = 1008 // too many frames or connections: wait before reconnecting; also sent if a frame is not JSON
	CloseInternal = 1011 // the server has a bug: reconnect after a random delay
	CloseRestart  = 1012 // the server is shutting down, or the user's name or role has changed: reconnect after a short random delay
	CloseTooSlow  = 4008 // the client did not read for 10 s
)

// ContinuityError reports a frame that breaks the protocol's guarantee: entries are missing, repeated or
// misplaced.
type ContinuityError struct {
	Room   string
	At     string // the cursor that the client has reached or requested
	Frame  Frame
	Reason string
}

func (e *ContinuityError) Error() string {
	switch f := e.Frame.(type) {
	case *Entries:
		return fmt.Sprintf("room %s at %s: entries (%s, %s]: %s", e.Room, e.At, f.After, f.Upto, e.Reason)
	case *Followed:
		return fmt.Sprintf("room %s at %s: followed %s at %s: %s", e.Room, e.At, f.State, f.At, e.Reason)
	}
	return fmt.Sprintf("room %s at %s: %s", e.Room, e.At, e.Reason)
}
