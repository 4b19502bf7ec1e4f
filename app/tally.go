package main

import (
	"burble/app/limit"
	"burble/app/protocol"
	"io"
	"net"

	"github.com/gofiber/fiber/v2"
)

// What an address holds at one time is bounded, as limiters bound what it asks for in
// a second: connections, live reads, and answers that it does not read.
const (
	// connectionsMost is how many connections, and how many live reads, an address may
	// have open: so many for each that it may open in a second.
	connectionsMost = 40
	// unreadMost is how many bytes of answers wait for an address to read them, if it is
	// not one that is larger.
	unreadMost = 16 << 20
	// answerSmall is an answer that is not counted, for the kernel takes it.
	answerSmall = 64 << 10
)

// doorkeeper is a listener that bounds what the kernel keeps of each connection's
// unread answers, and hangs up on an address that has too many connections, before they
// have said anything.
type doorkeeper struct {
	net.Listener
	open *limit.Quota // nil: a proxy stands before us, to which all connections belong
}

func (a *App) door(listener net.Listener) net.Listener {
	if a.config.TrustedProxy != proxyNone {
		return doorkeeper{listener, nil}
	}
	return doorkeeper{listener, a.limits.open}
}

// Accept is of net.Listener.
func (d doorkeeper) Accept() (net.Conn, error) {
	for {
		conn, err := d.Listener.Accept()
		tcp, ok := conn.(*net.TCPConn)
		if err != nil || !ok {
			return conn, err
		}
		tcp.SetWriteBuffer(sendBuffer)
		if d.open == nil {
			return tcp, nil
		}
		remote := clientAddress(nil, tcp.RemoteAddr().String(), proxyNone)
		if giveBack, ok := d.open.Take(addressGroup(remote), 1); ok {
			return &countedConn{tcp, giveBack}, nil
		}
		tcp.SetLinger(0) // nothing is kept of it
		tcp.Close()
	}
}

// countedConn is a connection that is counted while it is open.
type countedConn struct {
	*net.TCPConn
	giveBack func()
}

// Close is of net.Conn.
func (c *countedConn) Close() error {
	c.giveBack()
	return c.TCPConn.Close()
}

// limitUnread bounds what waits for an address to read it: it could ask for large pages,
// and read none.
func (a *App) limitUnread(c *fiber.Ctx) error {
	if err := c.Next(); err != nil {
		return err
	}
	body := c.Response().Body()
	if len(body) <= answerSmall {
		return nil
	}
	giveBack, ok := a.limits.unread.Take(a.caller(c).address, len(body))
	if !ok {
		return protocol.TooMany("answers that nobody reads", answerTime/4)
	}
	c.Response().SwapBody(nil) // so that the body is ours
	c.Context().SetBodyStream(&unread{body, giveBack}, len(body))
	return nil
}

// unread is an answer that is counted until it is read.
type unread struct {
	rest     []byte
	giveBack func()
}

// Read is of io.Reader.
func (u *unread) Read(into []byte) (int, error) {
	if len(u.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(into, u.rest)
	u.rest = u.rest[n:]
	return n, nil
}

// Close is of io.Closer. fasthttp calls it when the answer was written, or could not be.
func (u *unread) Close() error {
	u.giveBack()
	return nil
}
