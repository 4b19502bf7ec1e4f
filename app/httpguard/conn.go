package httpguard

import (
	"bytes"
	"net"
	"slices"
	"time"

	"github.com/valyala/fasthttp"
)

const (
	// MaxHeader is the maximum size of a request's header, and the size of fasthttp's read buffer.
	MaxHeader = 16 << 10
	// maxRest is the maximum number of bytes of a refused request to read and discard.
	maxRest = 1 << 20
	// restTimeout limits how long discarding them takes.
	restTimeout = 2 * time.Second
)

// Listener returns a listener whose connections are of type *Conn.
func Listener(listener net.Listener) net.Listener { return guardedListener{listener} }

type guardedListener struct{ net.Listener }

// Accept implements net.Listener.
func (l guardedListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &Conn{Conn: conn}, nil
}

// Conn is a connection of an HTTP server. Only one goroutine may read from it at a time.
type Conn struct {
	net.Conn
	header []byte // the incomplete header of the current request; nil while it is complete
	rest   []byte // read from the connection, but not yet returned by Read
	body   *Body  // the body of the current request, after BeginBody
	linger linger
}

// linger limits how long Close waits for the client.
type linger struct {
	bytes   int64 // maximum to read and discard; 0 if Close does not wait
	timeout time.Duration
}

var headerEnd = []byte("\r\n\r\n")

// Read implements net.Conn. It copies a header that takes several reads, up to MaxHeader, because
// fasthttp discards a header that is too large without parsing it. Until Forget is called, it also copies
// the body, which it cannot distinguish from a header.
//
// A call that returns the end of a header returns nothing after it. fasthttp's buffer is therefore empty once it has
// read a header, and a Body begins with the bytes that Read would return next.
func (c *Conn) Read(into []byte) (n int, err error) {
	if len(c.rest) > 0 {
		n = copy(into, c.rest)
		c.rest = c.rest[n:]
	} else {
		n, err = c.Conn.Read(into)
	}
	if len(c.header) >= MaxHeader {
		return n, err
	}
	before := min(len(c.header), len(headerEnd)-1) // earlier calls may have returned the first bytes of headerEnd
	recent := into[:n]
	if before > 0 {
		recent = slices.Concat(c.header[len(c.header)-before:], into[:n])
	}
	end := bytes.Index(recent, headerEnd)
	if end < 0 {
		c.header = append(c.header, into[:n]...)
		return n, err
	}
	c.header = nil
	if end += len(headerEnd) - before; end < n {
		c.rest = slices.Concat(into[end:n], c.rest)
	}
	return end, err
}

// Forget drops the copy of the header. The server must call it when it has read a request.
func (c *Conn) Forget() { c.header = nil }

// Unwrap returns the connection inside a Conn, and any other connection as it is.
func Unwrap(conn net.Conn) net.Conn {
	if guarded, ok := conn.(*Conn); ok {
		return guarded.Conn
	}
	return conn
}

// ReadRest reads the rest of a header that is larger than MaxHeader, and copies its Accept field to
// header, so that the error can have the format that the client accepts. If the rest were not read,
// closing the connection would reset it, and the client might never receive the response.
func (c *Conn) ReadRest(header *fasthttp.RequestHeader) {
	c.Conn.SetReadDeadline(time.Now().Add(restTimeout))
	all := append(c.header, c.rest...)
	c.rest = nil
	for read := make([]byte, MaxHeader); len(all) < maxRest && !bytes.Contains(all[max(0, len(all)-len(read)-len(headerEnd)):], headerEnd); {
		n, err := c.Conn.Read(read)
		all = append(all, read[:n]...)
		if err != nil {
			break
		}
	}
	for line := range bytes.Lines(all) {
		name, value, _ := bytes.Cut(line, []byte(":"))
		if isName(name, "Accept") {
			header.SetBytesV("Accept", bytes.TrimSpace(value))
		}
	}
	c.header = nil
}

// Linger makes Close wait until the client has read the response to a refused request.
func (c *Conn) Linger() { c.linger = linger{maxRest, restTimeout} }

// Close implements net.Conn. After Linger, it first ends only the sending direction, and discards what
// the client still sends (RFC 9112, section 9.6).
func (c *Conn) Close() error {
	closer, ok := c.Conn.(interface{ CloseWrite() error })
	if c.linger.bytes == 0 || !ok || closer.CloseWrite() != nil {
		return c.Conn.Close()
	}
	c.Conn.SetReadDeadline(time.Now().Add(c.linger.timeout))
	discard := make([]byte, 4<<10)
	for left := c.linger.bytes; left > 0; {
		n, err := c.Conn.Read(discard)
		if err != nil {
			break
		}
		left -= int64(n)
	}
	return c.Conn.Close()
}
