package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"
	"unicode/utf8"

	"burble/streams"

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
)

// A session is one WebSocket: a feed of the rooms it follows, and the frames of
// its client, taken one after the other so that they keep their order.
type session struct {
	feed
	ws      *websocket.Conn
	guest   *Guest // nil: it may read
	address string
	limited int // frames refused in a row
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
	bound(s.conn)
	if !a.feeds.add(&s.feed) {
		s.hangUp(closeRestart, "the server is going away: come back")
		s.finish()
		return
	}
	defer a.feeds.remove(&s.feed)
	defer s.finish()
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
	asked, notJSON, err := parseFrame(data)
	if err == nil {
		err = s.allow(asked)
	}
	if err == nil {
		s.limited = 0
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

// allow applies the limits: frames for each address, messages for each user.
func (s *session) allow(asked frame) error {
	now := time.Now()
	ok, after := s.app.limits.address.allow(s.address, now)
	if !ok {
		if s.limited++; s.limited > floodMost {
			s.hangUp(closeNotAllowed, "too many frames")
		}
		return slowDown(after, "frames")
	}
	if asked.Type == "follow" || asked.Type == "unfollow" {
		return nil
	}
	return s.app.allowMessage(s.guest, now)
}

func (s *session) do(asked frame) error {
	switch asked.Type {
	case "follow":
		if s.follows() >= roomsMost {
			return refuse(notAllowed, "room", "A connection follows at most %d rooms.", roomsMost)
		}
		return s.follow(asked.Room, asked.From, asked.HTML)
	case "unfollow":
		s.unfollow(asked.Room)
		return nil
	}
	stored, err := s.app.append(asked.Room, asked.entry(s.guest))
	if err != nil {
		return err
	}
	s.write(webSocketFrame(opText, storedJSON(asked.Room, asked.Key, stored.Cursor.ID)))
	return nil
}

// kinds are the entries that frames ask for.
var kinds = map[string]streams.Kind{
	"send": streams.Message, "edit": streams.Edit, "delete": streams.Delete, "react": streams.React,
}

// entry is the entry that the frame asks to append.
func (f *frame) entry(guest *Guest) streams.Entry {
	return streams.Entry{
		Kind: kinds[f.Type], Key: f.Key, User: streams.User(*guest), Text: f.Text,
		ReplyTo: f.ReplyTo, Of: f.Of, Emoji: f.Emoji, On: f.On,
	}
}

// append appends within a bounded time, whatever becomes of the one who asked.
func (a *App) append(room string, entry streams.Entry) (streams.Stored, error) {
	ctx, cancel := context.WithTimeout(a.ctx, appendTime)
	defer cancel()
	stored, err := a.store.Append(ctx, room, entry)
	if errors.Is(err, streams.ErrNotFound) && entry.Kind == streams.Message {
		return stored, refuse(notFound, "reply_to", "There is no message %v in this room to reply to.", entry.ReplyTo)
	}
	if err != nil {
		return stored, fmt.Errorf("append %s: %w", entry.Kind, err)
	}
	a.metrics.appended.Add(1)
	return stored, nil
}

// socketCodec says things in WebSocket frames.
type socketCodec struct{}

// The forms of a batch that connections share, see streams.Batch.Encoded.
const (
	formSocket = iota
	formSocketHTML
	formEvents
	formLines
	formText
)

func (socketCodec) followed(room string, followed *streams.Followed) []byte {
	return webSocketFrame(opText, followedJSON(room, followed))
}

func (socketCodec) batch(batch *streams.Batch, html bool) []byte {
	form := formSocket
	if html {
		form = formSocketHTML
	}
	return batch.Encoded(form, func(batch *streams.Batch) []byte {
		return webSocketFrame(opText, entriesJSON(batch, html))
	})
}

func (socketCodec) status(away bool) []byte { return webSocketFrame(opText, statusJSON(away)) }
func (socketCodec) beat() []byte            { return webSocketFrame(opPing, nil) }

func (socketCodec) end(code int, reason string) []byte { return closeFrame(code, reason) }
