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

// refusalPrefixes are the beginnings of the line that Redis sends before it closes a new connection, because it
// has reached maxclients or is in protected mode.
var refusalPrefixes = []string{"-ERR max number of clients", "-DENIED "}

// refusal is the line that Redis sent, without the "-". It implements redis.Error.
type refusal string

func (r refusal) Error() string { return string(r) }

// RedisError implements redis.Error.
func (refusal) RedisError() {}

// refusalHook makes every use of a refused connection return the refusal. Without the hook, the client
// takes the refusal for the reply to HELLO, and reports "broken pipe" for the next command.
type refusalHook struct{}

// DialHook implements redis.Hook. It leaves TLS connections alone, because Redis cannot send the line
// before the TLS handshake.
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
	raw     syscall.Conn // the client checks with it whether the connection is still open
	hasRead bool         // whether Redis has sent anything
	refused error
}

// SyscallConn implements syscall.Conn.
func (c *refusableConn) SyscallConn() (syscall.RawConn, error) { return c.raw.SyscallConn() }

// Read implements net.Conn.
func (c *refusableConn) Read(p []byte) (int, error) {
	if c.refused != nil {
		return 0, c.refused
	}
	n, err := c.Conn.Read(p)
	if n > 0 && !c.hasRead {
		c.hasRead = true
		if c.refused = asRefusal(p[:n]); c.refused != nil {
			return 0, c.refused
		}
	}
	return n, err
}

// Write implements net.Conn. If the write fails before the first read, Write reads what Redis sent
// before it closed the connection.
func (c *refusableConn) Write(p []byte) (int, error) {
	if c.refused != nil {
		return 0, c.refused
	}
	n, err := c.Conn.Write(p)
	if !c.hasRead && (errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET)) {
		c.SetReadDeadline(time.Now().Add(time.Second)) // the line has already arrived
		c.Read(make([]byte, 256))
		if c.refused != nil {
			return n, c.refused
		}
	}
	return n, err
}

// The client sets a deadline before each read and write, even if it has already closed the connection.

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

// asRefusal returns the refusal in the first bytes from Redis, or nil if there is none.
func asRefusal(first []byte) error {
	line, _, _ := bytes.Cut(first, []byte("\r\n"))
	text := string(line)
	if !slices.ContainsFunc(refusalPrefixes, func(prefix string) bool { return strings.HasPrefix(text, prefix) }) {
		return nil
	}
	return refusal(text[1:])
}
