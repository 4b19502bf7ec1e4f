package main

import (
	"burble/app/identity"
	"burble/app/protocol"
	"burble/streams"
	"bytes"
	"errors"
	"time"

	"github.com/gofiber/contrib/websocket"
	"github.com/gofiber/fiber/v2"
)

const (
	// appendTime bounds one append, the Store's own retries included.
	appendTime = 8 * time.Second
	// roomsMost bounds how many rooms one connection follows.
	roomsMost = 5000
	// floodMost is how many more frames over the limit than within it end a connection.
	floodMost = 200
	// typingEvery is how often a session's typing is told.
	typingEvery = 3 * time.Second
)

// A session is one WebSocket: a feed of the rooms it follows, and the messages of
// its client, taken one after the other so that they keep their order.
type session struct {
	feed
	socketReader
	user    identity.User // zero: it may only read
	address string
	speaks  bool                 // it appended something
	limited int                  // frames refused, less those that were not
	present map[string]bool      // rooms in which it was counted in
	typed   map[string]time.Time // when it last said so in a room
}

// handshake is what a session takes over from the request that opens it.
type handshake struct {
	first  *protocol.Frame // the follow in the address; nil: there is none
	answer []byte          // the head of the answer
}

// handshakeKey is where the handshake is among the request's locals.
const handshakeKey = "handshake"

// openSocket is the handler of GET /ws, after the middleware let it through.
func (a *App) openSocket() fiber.Handler {
	upgrade := websocket.New(a.takeSocket, websocket.Config{
		Subprotocols:   []string{protocol.Subprotocol},
		RecoverHandler: a.recoverSocket,
	})
	return func(c *fiber.Ctx) error {
		if !websocket.IsWebSocketUpgrade(c) {
			return fiber.ErrUpgradeRequired
		}
		first, err := followAsked(c)
		if err != nil {
			return err
		}
		opening := &handshake{first: first}
		c.Locals(handshakeKey, opening)
		if err := upgrade(c); err != nil {
			return err
		}
		opening.answer = bytes.Clone(c.Response().Header.Header())
		c.Context().HijackSetNoResponse(true)
		return nil
	}
}

// recoverSocket keeps a panic of takeSocket from ending the process. It is what is deferred
// itself: a function that it called would recover nothing.
func (a *App) recoverSocket(ws *websocket.Conn) {
	if cause := recover(); cause != nil {
		a.logPanic(cause)
		ws.NetConn().Close()
	}
}

// followAsked is the follow in the address of a socket.
func followAsked(c *fiber.Ctx) (*protocol.Frame, error) {
	if err := onlyQueries(c, "room", "after", "last", "html", "deflate", "watch"); err != nil {
		return nil, err
	}
	params := c.Queries()
	if len(params) == 0 {
		return nil, nil
	}
	follow, err := protocol.ParseFollow(params)
	return &follow, err
}

// takeSocket takes the connection over after the handshake, and with it all that
// the socket library would keep for each: its pooled connection, the request, two
// buffers of 4 KiB.
func (a *App) takeSocket(ws *websocket.Conn) {
	caller := ws.Locals(callerKey).(*caller)
	opening := ws.Locals(handshakeKey).(*handshake)
	conn, input := detach(ws.NetConn())
	s := &session{
		feed:         feed{app: a, conn: conn, codec: socketCodec{}, log: a.log, rest: opening.answer},
		socketReader: newSocketReader(input),
		user:         caller.user,
		address:      caller.address,
	}
	s.reader = s.user.ID
	giveBack, ok := a.limits.live.Take(s.address, 1)
	if !ok {
		s.hangUp(closeNotAllowed, "too many connections")
		s.finish()
		return
	}
	hello := webSocketFrame(opText, protocol.EncodeHello(streams.User(s.user), a.config.Durability))
	s.rest = append(s.rest, hello...) // before all that it is told, and that is as soon as it runs
	if !a.run(&s.feed, func() { defer giveBack(); s.serve(opening.first) }) {
		giveBack()
		s.rest = opening.answer
		s.hangUp(closeRestart, "the server is going away: come back")
		s.finish()
	}
}

// serve is a session's life.
func (s *session) serve(first *protocol.Frame) {
	defer s.leaveAll()
	s.app.stacks.do(func() { s.greet(first) })
	for s.await() == nil {
		if s.speaks {
			s.next() // who speaks has a stack of its own
		} else {
			s.app.stacks.do(s.next)
		}
	}
}

// greet says hello, and follows what the address asked for: then hello, which is in rest,
// goes with what is read, or told, first.
func (s *session) greet(first *protocol.Frame) {
	defer s.recovered()
	s.tellAway()
	if first == nil {
		s.write(nil)
		return
	}
	if err := s.enter(*first); err != nil {
		s.refuse(err, *first)
	}
}

// next takes the client's next message, or its end.
func (s *session) next() {
	defer s.recovered()
	message, whole, err := s.message()
	if end := (*goodbye)(nil); errors.As(err, &end) {
		s.hangUp(end.code, end.reason)
	} else if err != nil {
		s.hangUp(closeGone, "")
	} else if whole {
		s.take(message)
	}
}

// take does what one frame asks, and answers it.
func (s *session) take(data []byte) {
	now := time.Now()
	asked, notJSON, err := protocol.Parse(data)
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
	s.refuse(err, asked)
	if notJSON {
		s.hangUp(closeNotAllowed, "frames are JSON")
	}
}

// refuse answers a frame with its error.
func (s *session) refuse(err error, asked protocol.Frame) {
	told := protocol.AsError(err)
	s.app.logAccident(told, "room", asked.Room)
	s.write(webSocketFrame(opText, protocol.EncodeError(told, asked.Room, asked.Key)))
}

// allowFrame applies the limit of frames for each address. A flood is ended though the
// limit lets some of it through every second.
func (s *session) allowFrame(now time.Time) error {
	ok, after := s.app.limits.address.Allow(s.address, 1, now)
	if !ok {
		if s.limited++; s.limited > floodMost {
			s.hangUp(closeNotAllowed, "too many frames")
		}
		return protocol.TooMany("frames", after)
	}
	s.limited = max(0, s.limited-1)
	return nil
}

// allow applies the limits for each user.
func (s *session) allow(asked protocol.Frame, now time.Time) error {
	switch asked.Type {
	case "follow", "unfollow", "ping":
		return nil
	case "typing", "read":
		return s.app.allowSignal(s.user, now)
	}
	return s.app.allowMessage(s.user, now)
}
