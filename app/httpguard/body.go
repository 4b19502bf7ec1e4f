package httpguard

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/valyala/fasthttp"
)

// fasthttp can stream request bodies, but only for a whole server. It would keep a buffer of 16 KiB for each idle
// connection and each WebSocket, and would parse the unread rest of a body as the next request. Instead,
// LeaveBodyUnread makes fasthttp treat the body as empty, and the handler reads it from the connection.

const (
	// MinRate is the minimum average rate of a Body in bytes per second, after the first RateGrace. At this rate, that
	// of the slowest mobile networks (EDGE), 25 MB take 53 minutes.
	MinRate   = 8 << 10
	RateGrace = time.Minute
	// StallTimeout is the maximum time between two reads of a Body.
	StallTimeout = 30 * time.Second
	// unreadTimeout limits how long Close waits for a client whose Body was not read completely.
	unreadTimeout = 5 * time.Second
	// continueTimeout limits how long writing the 100 response takes.
	continueTimeout = 10 * time.Second
	// maxUnread is the maximum number of bytes of an unread body to discard, so that the client can read the response.
	maxUnread = 32 << 20
)

var (
	noLength   = &Refusal{http.StatusLengthRequired, "The Content-Length header is missing."}
	badLength  = &Refusal{http.StatusBadRequest, "There must be one Content-Length header, with a number."}
	badNewline = &Refusal{http.StatusBadRequest, "Each line of the header must end with CR and LF."}

	// ErrCanceled is the error of a Body after Cancel.
	ErrCanceled = errors.New("the upload was canceled")
)

// LeaveBodyUnread makes the server call its handler without reading the request's body. Call it from a HeaderReceived
// callback. The server's handler must then call BeginBody first and EndBody last.
func LeaveBodyUnread(header *fasthttp.RequestHeader) {
	header.Del("Expect")
	header.SetContentLength(0)
}

// Body is the body of a request for which LeaveBodyUnread was called. Only Cancel may be called from other goroutines.
type Body struct {
	Size int64

	conn         *Conn
	isSplit      bool  // whether Read has seen the end of the header
	left         int64 // bytes not read yet; -1 before ReadBody
	mustContinue bool  // the client waits for a 100 response
	began        time.Time

	mu       sync.Mutex
	canceled bool
}

// BeginBody prepares the connection for ReadBody. Call it before Forget, and only after LeaveBodyUnread.
func (c *Conn) BeginBody() { c.body = &Body{conn: c, left: -1, isSplit: c.header == nil} }

// ReadBody returns the body of the request, or the reason why the request must be refused. EndBody then closes the
// connection. It returns nil if LeaveBodyUnread was not called for the request.
func (c *Conn) ReadBody(header *fasthttp.RequestHeader) (*Body, *Refusal) {
	b := c.body
	if b == nil {
		return nil, nil
	}
	size, expects, refusal := bodyLength(header)
	if refusal == nil && !b.isSplit {
		refusal = badNewline
	}
	if refusal != nil {
		return nil, refusal
	}
	b.Size, b.left, b.began = size, size, time.Now()
	b.mustContinue = expects && size > 0
	return b, nil
}

// bodyLength returns the length of a body as the client sent it, and whether the client waits for a 100 response.
func bodyLength(header *fasthttp.RequestHeader) (length int64, expects bool, refusal *Refusal) {
	raw := header.RawHeaders()
	found, refusal := readFields(raw)
	switch {
	case refusal != nil:
		return 0, false, refusal
	case len(found.encodings) > 0 || found.lengthCount == 0:
		return 0, false, noLength
	case bytes.Count(raw, []byte("\n")) != bytes.Count(raw, []byte("\r\n")):
		return 0, false, badNewline // fasthttp may have seen the end of the header where Conn.Read has not
	}
	number, err := strconv.ParseUint(string(found.length), 10, 62)
	if err != nil || found.lengthCount > 1 {
		return 0, false, badLength
	}
	return int64(number), bytes.EqualFold(found.expect, []byte("100-continue")) && !isVersion(header, '0'), nil
}

// EndBody must be called after the handler. If part of the body was not read, it makes the server close the connection
// after the response, so that the server does not parse that part as a request.
func (c *Conn) EndBody(ctx *fasthttp.RequestCtx) {
	b := c.body
	if c.body = nil; b == nil {
		return
	}
	if b.left < 0 { // the handler did not call ReadBody, or the request was refused
		length, _, refusal := bodyLength(&ctx.Request.Header)
		if b.left = length; refusal != nil {
			b.left = maxRest
		}
	}
	if b.left > 0 {
		ctx.SetConnectionClose()
		c.linger = linger{min(b.left, maxUnread), unreadTimeout}
	}
}

// Cancel makes Read return ErrCanceled.
func (b *Body) Cancel() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.canceled = true
	b.conn.Conn.SetReadDeadline(time.Unix(1, 0))
}

// Read implements io.Reader. The first call sends a 100 response if the client waits for one.
func (b *Body) Read(p []byte) (n int, err error) {
	if b.left == 0 {
		return 0, io.EOF
	}
	if b.mustContinue {
		b.mustContinue = false
		b.conn.Conn.SetWriteDeadline(time.Now().Add(continueTimeout))
		if _, err := b.conn.Conn.Write([]byte("HTTP/1.1 100 Continue\r\n\r\n")); err != nil {
			return 0, err
		}
	}
	p = p[:min(int64(len(p)), b.left)]
	if len(b.conn.rest) > 0 {
		n = copy(p, b.conn.rest)
		b.conn.rest = b.conn.rest[n:]
	} else if err = b.setDeadline(); err == nil {
		n, err = b.conn.Conn.Read(p)
	}
	b.left -= int64(n)
	if err == io.EOF && b.left > 0 {
		err = io.ErrUnexpectedEOF
	}
	if b.isCanceled() {
		return 0, ErrCanceled
	}
	return n, err
}

func (b *Body) isCanceled() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.canceled
}

// setDeadline limits how long the next read may take.
func (b *Body) setDeadline() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.canceled {
		return ErrCanceled
	}
	return b.conn.Conn.SetReadDeadline(Deadline(b.began, b.Size-b.left))
}

// Deadline returns the time by which the next bytes of a large body must be sent or received. The transfer began at the
// given time, and count bytes were transferred since.
func Deadline(began time.Time, count int64) time.Time {
	deadline := time.Now().Add(StallTimeout)
	if slowest := began.Add(RateGrace + time.Duration(count)*time.Second/MinRate); slowest.Before(deadline) {
		return slowest
	}
	return deadline
}
