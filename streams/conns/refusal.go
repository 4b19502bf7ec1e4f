package conns

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"
)

// refusals begin the lines by which Redis refuses a connection that it has just accepted: it has
// as many clients as it may, or is in protected mode. It closes the connection at once.
var refusals = []string{"-ERR max number of clients", "-DENIED "}

// refusal is such a line. It implements redis.Error.
type refusal string

func (r refusal) Error() string { return string(r) }

// RedisError implements redis.Error.
func (refusal) RedisError() {}

// refusalHook is a hook that makes every use of a refused connection return the refusal. On its own
// the client sends HELLO, takes the refusal for that of an unknown command, and reports
// "broken pipe" when it sends the next one.
type refusalHook struct{}

// DialHook implements redis.Hook. Before the handshake of TLS, Redis sends nothing that the client
// would read.
func (refusalHook) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := next(ctx, network, addr)
		if plain, ok := conn.(syscall.Conn); ok && err == nil {
			return &refusableConn{Conn: conn, raw: plain}, nil
		}
		return conn, err
	}
}

// ProcessHook implements redis.Hook.
func (refusalHook) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }

// ProcessPipelineHook implements redis.Hook.
func (refusalHook) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

// refusableConn is a connection that remembers whether Redis refused it.
type refusableConn struct {
	net.Conn
	raw      syscall.Conn // by which the client checks whether the connection is still open
	answered bool         // something was read
	refused  error
}

// SyscallConn implements syscall.Conn.
func (c *refusableConn) SyscallConn() (syscall.RawConn, error) { return c.raw.SyscallConn() }

// Read implements net.Conn.
func (c *refusableConn) Read(p []byte) (int, error) {
	if c.refused != nil {
		return 0, c.refused
	}
	n, err := c.Conn.Read(p)
	if n > 0 && !c.answered {
		c.answered = true
		if c.refused = asRefusal(p[:n]); c.refused != nil {
			return 0, c.refused
		}
	}
	return n, err
}

// Write implements net.Conn. If Redis has closed the connection before anything was read, what it
// sent before that is the reason.
func (c *refusableConn) Write(p []byte) (int, error) {
	if c.refused != nil {
		return 0, c.refused
	}
	n, err := c.Conn.Write(p)
	if !c.answered && (errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET)) {
		c.SetReadDeadline(time.Now().Add(time.Second)) // it arrived before the end of the connection
		c.Read(make([]byte, 256))
		if c.refused != nil {
			return n, c.refused
		}
	}
	return n, err
}

// The client sets a deadline before each read and write, and may have closed the connection by then.

// SetDeadline implements net.Conn.
func (c *refusableConn) SetDeadline(t time.Time) error {
	return cmp.Or(c.refused, c.Conn.SetDeadline(t))
}

// SetReadDeadline implements net.Conn.
func (c *refusableConn) SetReadDeadline(t time.Time) error {
	return cmp.Or(c.refused, c.Conn.SetReadDeadline(t))
}

// SetWriteDeadline implements net.Conn.
func (c *refusableConn) SetWriteDeadline(t time.Time) error {
	return cmp.Or(c.refused, c.Conn.SetWriteDeadline(t))
}

// asRefusal returns the refusal that the first bytes from Redis are, or nil.
func asRefusal(first []byte) error {
	line, _, _ := bytes.Cut(first, []byte("\r\n"))
	text := string(line)
	if !slices.ContainsFunc(refusals, func(prefix string) bool { return strings.HasPrefix(text, prefix) }) {
		return nil
	}
	return refusal(text[1:])
}
