package web

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"time"

	"burble/app/caller"
	"burble/app/httpguard"
	"burble/app/live"
	"burble/app/protocol"
	"burble/app/request"
	"burble/app/socket"
	"burble/app/ws"

	"github.com/gofiber/contrib/websocket"
	"github.com/gofiber/fiber/v2"
)

// handshake holds the values from the opening request that startSocket needs.
type handshake struct {
	caller *caller.Caller
	follow *protocol.Frame // the follow in the URL, or nil
	head   []byte          // the response's header
}

// handshakeKey is the key under which a request's locals hold its handshake.
const handshakeKey = "handshake"

// handleSocket returns the handler of GET /ws.
func (s *Server) handleSocket() fiber.Handler {
	upgrade := websocket.New(s.startSocket, websocket.Config{
		Subprotocols:   []string{protocol.Subprotocol},
		RecoverHandler: s.recoverSocket,
	})
	return func(c *fiber.Ctx) error {
		if !websocket.IsWebSocketUpgrade(c) {
			return fiber.ErrUpgradeRequired
		}
		follow, err := parseFollow(c)
		if err != nil {
			return err
		}
		opening := &handshake{caller: caller.Of(c), follow: follow}
		c.Locals(handshakeKey, opening)
		if err := upgrade(c); err != nil {
			return err
		}
		opening.head = bytes.Clone(c.Response().Header.Header())
		c.Context().HijackSetNoResponse(true)
		return nil
	}
}

// recoverSocket recovers from a panic in startSocket. It must be the deferred function itself, because
// recover does nothing in a function that a deferred function calls.
func (s *Server) recoverSocket(conn *websocket.Conn) {
	if cause := recover(); cause != nil {
		s.logPanic(cause)
		conn.NetConn().Close()
	}
}

// parseFollow returns the follow in the URL of a WebSocket, or nil if there is none.
func parseFollow(c *fiber.Ctx) (*protocol.Frame, error) {
	if err := request.CheckQuery(c, "room", "after", "last", "html", "deflate", "watch"); err != nil {
		return nil, err
	}
	params := c.Queries()
	if len(params) == 0 {
		return nil, nil
	}
	follow, err := protocol.ParseFollow(params)
	return &follow, err
}

// startSocket takes over the connection after the handshake. Because it returns at once, the WebSocket library
// releases its own connection object, the request, and buffers of 16 KiB and 4 KiB, which it would otherwise keep
// for as long as the socket is open.
func (s *Server) startSocket(upgraded *websocket.Conn) {
	opening := upgraded.Locals(handshakeKey).(*handshake)
	from := opening.caller
	conn, input := detach(upgraded.NetConn())
	release, ok := s.limits.OpenLiveReads.Take(from.Address, 1)
	if !ok {
		s.live.Refuse(conn, live.WebSocket, opening.head, ws.CloseNotAllowed, "too many connections")
		return
	}
	// Hello must precede everything else, even the notice that Redis is away.
	head := slices.Concat(opening.head, socket.Hello(from.User, s.options.Durability, s.fileLimits))
	client := &socket.Client{
		Conn: conn, Input: input, User: from.User, NamedAt: from.NamedAt, Address: from.Address, Follow: opening.follow,
		Subscribe: func(feed *live.Feed) (end func()) {
			return s.callers.Subscribe(context.Background(), from, feed).End
		},
	}
	err := s.live.Start(conn, live.WebSocket, from.User.ID, head, func(feed *live.Feed) {
		defer release()
		s.sockets.Serve(feed, client)
	})
	if errors.Is(err, live.ErrDraining) {
		release()
		s.live.RefuseDraining(conn, live.WebSocket, opening.head)
	}
}

// detach returns the connection inside the wrapper that fasthttp passes to a hijack handler. The
// wrapper must not be used after the handler returns. input reads the bytes that the wrapper has
// buffered, then the connection.
func detach(wrapped net.Conn) (conn net.Conn, input io.Reader) {
	wrapped.SetReadDeadline(time.Unix(1, 0)) // makes ReadAll return only what is buffered
	early, _ := io.ReadAll(wrapped)
	conn = httpguard.Unwrap(wrapped.(interface{ UnsafeConn() net.Conn }).UnsafeConn())
	conn.SetDeadline(time.Time{})
	if len(early) == 0 {
		return conn, conn
	}
	return conn, io.MultiReader(bytes.NewReader(early), conn)
}
