package web

import (
	"io"
	"net"

	"burble/app/limit"
	"burble/app/peer"
	"burble/app/protocol"

	"github.com/gofiber/fiber/v2"
)

const (
	// connectionFactor is how many connections, and how many live reads, an address may have
	// open for each that it may open a second.
	connectionFactor = 40
	// maxUnread is how many bytes of responses may wait for one address to read them. A single
	// response may be larger.
	maxUnread = 16 << 20
	// smallResponse is a response that is not counted, because the kernel takes all of it.
	smallResponse = 64 << 10
	// sendBuffer is what the kernel buffers for a connection whose client does not read.
	sendBuffer = 128 << 10
)

// limitedListener bounds what the kernel buffers for each connection, and resets the
// connections of an address that has too many, before they have sent anything.
type limitedListener struct {
	net.Listener
	open *limit.Quota // nil behind a proxy, to which all connections belong
}

func (s *Server) limitConnections(listener net.Listener) net.Listener {
	if s.options.TrustedProxy != peer.ProxyNone {
		return limitedListener{listener, nil}
	}
	return limitedListener{listener, s.limits.open}
}

// Accept implements net.Listener.
func (l limitedListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		tcp, ok := conn.(*net.TCPConn)
		if err != nil || !ok {
			return conn, err
		}
		tcp.SetWriteBuffer(sendBuffer)
		if l.open == nil {
			return tcp, nil
		}
		remote := peer.Address(nil, tcp.RemoteAddr().String(), peer.ProxyNone)
		if release, ok := l.open.Take(peer.Group(remote), 1); ok {
			return &countedConn{tcp, release}, nil
		}
		tcp.SetLinger(0) // a reset: the kernel keeps nothing of it
		tcp.Close()
	}
}

// countedConn is a connection that counts until it is closed.
type countedConn struct {
	*net.TCPConn
	release func()
}

// Close implements net.Conn.
func (c *countedConn) Close() error {
	c.release()
	return c.TCPConn.Close()
}

// limitUnread bounds the responses that wait for one address to read them: a client could ask
// for large pages and read none.
func (s *Server) limitUnread(c *fiber.Ctx) error {
	if err := c.Next(); err != nil {
		return err
	}
	body := c.Response().Body()
	if len(body) <= smallResponse {
		return nil
	}
	release, ok := s.limits.unread.Take(s.callerOf(c).address, len(body))
	if !ok {
		return protocol.TooMany("unread responses", responseTimeout/4)
	}
	c.Response().SwapBody(nil) // so that body is ours
	c.Context().SetBodyStream(&unreadBody{body, release}, len(body))
	return nil
}

// unreadBody is a response's body that counts until it is read.
type unreadBody struct {
	rest    []byte
	release func()
}

// Read implements io.Reader.
func (u *unreadBody) Read(into []byte) (int, error) {
	if len(u.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(into, u.rest)
	u.rest = u.rest[n:]
	return n, nil
}

// Close implements io.Closer. fasthttp calls it when the response is written, or cannot be.
func (u *unreadBody) Close() error {
	u.release()
	return nil
}
