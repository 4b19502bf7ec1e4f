package main

import (
	"errors"
	"net"
	"time"
	"unicode/utf8"

	fasthttpws "github.com/fasthttp/websocket"
	"github.com/gofiber/contrib/websocket"
	"github.com/gofiber/fiber/v2"
)

const (
	subprotocol = "burble.v1"
	// deadAfter is how long a socket may be silent. Every browser answers pings.
	deadAfter = 60 * time.Second
	// appendTime bounds one append, the Store's own retries included.
	appendTime = 8 * time.Second
	// roomsMost bounds how many rooms one connection follows.
	roomsMost = 5000
	// floodMost is how many frames over the limit in a row end a connection.
	floodMost = 200
	// typingEvery is how often a session's typing is told.
	typingEvery = 3 * time.Second
)

// A session is one WebSocket: a feed of the rooms it follows, and the frames of
// its client, taken one after the other so that they keep their order.
type session struct {
	feed
	ws      *websocket.Conn
	guest   *Guest // nil: it may read
	address string
	limited int                  // frames refused in a row
	present map[string]bool      // rooms in which it was counted in
	typed   map[string]time.Time // when it last said so in a room
}

// openSocket is the handler of GET /ws, after the middleware let it through.
func (a *App) openSocket() fiber.Handler {
	upgrade := websocket.New(a.serveSocket, websocket.Config{
		Subprotocols:    []string{subprotocol},
		ReadBufferSize:  1024,
		WriteBufferSize: 512, // ours are written past it
		RecoverHandler:  a.recoverSocket,
	})
	return func(c *fiber.Ctx) error {
		if !websocket.IsWebSocketUpgrade(c) {
			return fiber.ErrUpgradeRequired
		}
		caller := a.caller(c)
		if caller.err != nil {
			return caller.err
		}
		c.Locals(callerKey, caller)
		return upgrade(c)
	}
}

// recoverSocket keeps a panic from the client, and from the other sessions.
func (a *App) recoverSocket(*websocket.Conn) {
	if cause := recover(); cause != nil {
		a.logPanic(cause)
	}
}

// serveSocket is a session's life. The connection is pooled: nothing may use it
// after this returns.
func (a *App) serveSocket(ws *websocket.Conn) {
	caller := ws.Locals(callerKey).(*caller)
	s := &session{
		feed:    feed{app: a, conn: ws.NetConn(), codec: socketCodec{}, log: a.log},
		ws:      ws,
		guest:   caller.guest,
		address: caller.address,
	}
	if s.guest != nil {
		s.user = s.guest.ID
	}
	bound(s.conn)
	if !a.feeds.add(&s.feed) {
		s.hangUp(closeRestart, "the server is going away: come back")
		s.finish()
		return
	}
	defer a.feeds.remove(&s.feed)
	defer s.finish()
	defer s.leaveAll()
	s.write(webSocketFrame(opText, helloJSON(s.guest, a.store.Durability())))
	s.read()
}

// read takes the client's frames until the connection ends.
func (s *session) read() {
	s.ws.SetReadLimit(frameLimit)
	heard := func() { s.ws.SetReadDeadline(time.Now().Add(deadAfter)) }
	s.ws.SetPongHandler(func(string) error { heard(); return nil })
	s.ws.SetPingHandler(func(data string) error {
		heard()
		s.write(webSocketFrame(opPong, []byte(data)))
		return nil
	})
	s.ws.SetCloseHandler(s.closed)
	heard()
	for !s.isClosed() {
		kind, data, err := s.ws.ReadMessage()
		if err != nil {
			s.refused(err)
			return
		}
		heard()
		switch {
		case kind != websocket.TextMessage:
			s.hangUp(closeNotText, "frames are text")
		case !utf8.Valid(data):
			s.hangUp(closeNotUTF8, "not UTF-8")
		default:
			s.take(data)
		}
	}
}

// closed answers the client's close frame, and closes at once: RFC 6455 section
// 7.1.1 has the server be first then.
func (s *session) closed(code int, _ string) error {
	if code == websocket.CloseNoStatusReceived {
		code = closeNormal
	}
	s.write(closeFrame(code, ""))
	s.hangUp(closeGone, "")
	return nil
}

// refused ends the session when reading failed. The socket library has written a
// close frame of its own if the client broke the protocol or a frame was too big.
func (s *session) refused(err error) {
	var network net.Error
	if errors.As(err, &network) || errors.As(err, new(*fasthttpws.CloseError)) {
		return
	}
	s.hangUp(websocket.CloseProtocolError, "")
	s.feed.mu.Lock()
	defer s.feed.mu.Unlock()
	s.said = true
}

// take does what one frame asks, and answers it.
func (s *session) take(data []byte) {
	now := time.Now()
	asked, notJSON, err := parseFrame(data)
	if slow := s.allowFrame(now); slow != nil { // for good frames and bad ones alike
		err = slow
	}
	if err == nil {
		err = s.allow(asked, now)
	}
	if err == nil {
		err = s.do(asked)
	}
	if err == nil {
		return
	}
	told := asProblem(err)
	s.app.logAccident(told, "room", asked.Room)
	s.write(webSocketFrame(opText, errorJSON(told, asked.Room, asked.Key)))
	if notJSON {
		s.hangUp(closeNotAllowed, "frames are JSON")
	}
}

// allowFrame applies the limit of frames for each address.
func (s *session) allowFrame(now time.Time) error {
	ok, after := s.app.limits.address.allow(s.address, now)
	if !ok {
		if s.limited++; s.limited > floodMost {
			s.hangUp(closeNotAllowed, "too many frames")
		}
		return slowDown(after, "frames")
	}
	s.limited = 0
	return nil
}

// allow applies the limits for each user.
func (s *session) allow(asked frame, now time.Time) error {
	switch asked.Type {
	case "follow", "unfollow", "ping":
		return nil
	case "typing", "read":
		return s.app.allowSignal(s.guest, now)
	}
	return s.app.allowMessage(s.guest, now)
}
