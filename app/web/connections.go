package web

import (
	"net"
	"time"

	"burble/app/httpguard"
	"burble/app/limit"
	"burble/app/peer"
	"burble/app/protocol"

	"github.com/gofiber/fiber/v2"
)

// sendBuffer is how many bytes the kernel may buffer for a connection whose client does not read.
const sendBuffer = 128 << 10

// boundedListener sets the send buffer of each connection that it accepts.
type boundedListener struct{ net.Listener }

// Accept implements net.Listener.
func (l boundedListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if tcp, ok := conn.(*net.TCPConn); ok {
		tcp.SetWriteBuffer(sendBuffer)
	}
	return conn, err
}

const (
	// otherFiles is how many file descriptors the server does not use for clients' connections. Most
	// are for connections to Redis. Of a large limit, the server leaves a sixteenth.
	otherFiles = 48
	// spareConnections is how many connections above its capacity a server accepts to answer probes.
	spareConnections = 16
)

// limitConnections returns a listener that limits the open connections from each address and from all
// addresses together. Behind a proxy, there is no limit per address, because all connections come from
// the proxy.
func (s *Server) limitConnections(listener net.Listener) net.Listener {
	listener = boundedListener{listener}
	key := func(remote net.Addr) string {
		return peer.LimitKey(peer.Address(nil, remote.String(), peer.ProxyNone))
	}
	if s.options.TrustedProxy == peer.ProxyNone {
		listener = limit.Listener(listener, s.limits.OpenConnections, key)
	}
	capacity := limit.NewCapacity(listener, maxConnections(limit.Files()), spareConnections)
	if s.options.TrustedProxy == peer.ProxyNone {
		capacity.Key = key
	}
	capacity.OnError = func(err error) {
		s.log.Warn("cannot serve all connections", "error", err, "file_limit", limit.Files())
	}
	return capacity
}

// maxConnections returns how many connections a process may have if it may open so many files, or 0
// for no limit.
func maxConnections(files int) int {
	if files == 0 {
		return 0
	}
	return max(1, files-max(otherFiles, files/16)-spareConnections)
}

// refuseSpare is middleware that refuses requests on a connection above the capacity.
func (s *Server) refuseSpare(c *fiber.Ctx) error {
	if !limit.IsSpare(httpguard.Unwrap(c.Context().Conn())) {
		return c.Next()
	}
	return &protocol.Error{
		Code: protocol.Unavailable, RetryAfter: time.Second, Message: "The server has too many connections. Try again later.",
		Title: "Too many connections", Detail: "Try again in a moment.",
	}
}

// closeSpare is middleware that closes a connection above the capacity after one response.
func closeSpare(c *fiber.Ctx) error {
	err := c.Next()
	if limit.IsSpare(httpguard.Unwrap(c.Context().Conn())) {
		c.Context().SetConnectionClose()
	}
	return err
}
