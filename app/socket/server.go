package socket

import (
	"errors"
	"io"
	"net"
	"time"

	"burble/app/chat"
	"burble/app/identity"
	"burble/app/limit"
	"burble/app/live"
	"burble/app/previews"
	"burble/app/protocol"
	"burble/app/ws"
	"burble/streams"
)

const (
	// silenceTimeout is how long a client may be silent, and how long it may take to send one
	// message, in any number of frames. Even an idle client sends pongs, as every browser does.
	silenceTimeout = 60 * time.Second
	// floodLimit is how many more frames may be refused than accepted before the server closes the
	// connection.
	floodLimit = 200
)

// Server serves WebSocket clients. Its fields must not change while it serves.
type Server struct {
	Chat     *chat.Service
	Engine   *live.Engine
	Previews *previews.Previews // nil if link previews are off
	Frames   *limit.Rate        // the rate of frames, by address
	// LogError logs an error if it is the server's fault. Many goroutines call it at once.
	LogError func(refused *protocol.Error, args ...any)
}

// Client is a newly connected client.
type Client struct {
	Conn    net.Conn
	Input   io.Reader       // reads Conn, beginning with any bytes already read from it
	User    identity.User   // zero if the client may only read
	NamedAt time.Time       // when User got the name
	Address string          // the key of its limits
	Follow  *protocol.Frame // the follow in the URL, or nil

	// Subscribe is called once, on a worker. end is called when the connection is closed.
	Subscribe func(*live.Feed) (end func())
}

// client is the state of a Client while the server serves it.
type client struct {
	*Client
	server *Server
	feed   *live.Feed
	reader *ws.Reader

	unsubscribe  func()               // undoes Subscribe
	hasAppended  bool                 // whether the client has appended an entry
	excessFrames int                  // frames refused by the rate minus frames accepted, at least 0
	joined       roomSet              // rooms in which the user is present through this client
	lastTyping   map[string]time.Time // time of the last typing signal, by room
}

// Hello returns the first frame of every connection. files may be nil.
func Hello(user identity.User, durability streams.Durability, files *protocol.FileLimits) []byte {
	return ws.Text(protocol.EncodeHello(streams.User{ID: user.ID, Name: user.Name}, durability, files, time.Now()))
}

// Serve serves a client until its connection closes. The feed's head must end with Hello.
//
// An idle client waits in Serve. Large local variables here or in the caller would grow its stack from
// 2 KiB to 4 KiB, and it would not shrink again.
func (s *Server) Serve(feed *live.Feed, connected *Client) {
	c := &client{Client: connected, server: s, feed: feed}
	feed.OnRoomClosed = c.leave
	defer c.end()
	s.Engine.RunOnWorker(c.start)
	for c.reader.Await() == nil {
		if c.hasAppended {
			c.readNext() // the goroutine's own stack grows and stays large
		} else {
			s.Engine.RunOnWorker(c.readNext)
		}
	}
}

// start creates the reader, and follows the room in the URL, which writes the feed's head together with
// the first batch. If there is no room, start writes the head alone.
func (c *client) start() {
	c.reader = ws.NewReader(c.Input, protocol.MaxFrame)
	c.reader.Wait, c.reader.Control, c.reader.Overhead = c.wait, c.control, c.countFrame
	defer c.feed.Recover()
	if c.Subscribe != nil {
		c.unsubscribe = c.Subscribe(c.feed)
		c.Subscribe = nil // it may refer to the request
	}
	if c.Follow == nil {
		c.feed.Write(nil)
		return
	}
	if err := c.follow(*c.Follow); err != nil {
		c.refuse(err, *c.Follow)
	}
}

// end undoes what the client has started.
func (c *client) end() {
	c.leaveAll()
	if c.unsubscribe != nil {
		c.unsubscribe()
	}
}

// wait sets the deadline for the next message. It returns an error if the feed is closed.
func (c *client) wait(fragmented bool) error {
	if !fragmented {
		c.Conn.SetReadDeadline(time.Now().Add(silenceTimeout))
	}
	if c.feed.Closed() { // checked last, because SetReadDeadline may have undone the deadline that HangUp set
		return net.ErrClosed
	}
	return nil
}

// control answers pings (RFC 6455 section 5.5.2).
func (c *client) control(opcode byte, payload []byte) {
	if opcode == ws.OpPing {
		c.feed.Write(ws.Frame(ws.OpPong, payload))
	}
}

// readNext reads and handles the client's next message. If the connection has ended or must be closed,
// readNext hangs up.
func (c *client) readNext() {
	defer c.feed.Recover()
	message, whole, err := c.reader.Next()
	if closed := (*ws.CloseError)(nil); errors.As(err, &closed) {
		c.feed.HangUp(closed.Code, closed.Reason)
	} else if err != nil {
		c.feed.HangUpSilently()
	} else if whole {
		c.handle(message)
	}
}

// handle parses and executes one frame. It answers a refused frame with the error.
func (c *client) handle(data []byte) {
	frame, err := protocol.Parse(data)
	isJSON := !errors.Is(err, protocol.ErrNotJSON)
	if tooMany := c.allowFrame(time.Now()); tooMany != nil { // invalid frames count too
		err = tooMany
	}
	if err == nil {
		err = c.dispatch(frame)
	}
	if err == nil {
		return
	}
	c.refuse(err, frame)
	if !isJSON {
		c.feed.HangUp(ws.CloseNotAllowed, "frames must be JSON")
	}
}

// refuse answers a frame with an error.
func (c *client) refuse(err error, frame protocol.Frame) {
	refused := protocol.AsError(err)
	c.server.LogError(refused, "room", frame.Room)
	c.feed.Write(ws.Text(protocol.EncodeError(refused, frame.Room, frame.Key)))
}

// countFrame counts a frame that does not end a message.
func (c *client) countFrame() { c.allowFrame(time.Now()) }

// allowFrame counts a frame against the address's rate, and returns an error if the frame exceeds it.
// It closes the connection of a flooding client, even if the rate still accepts some of its frames.
func (c *client) allowFrame(now time.Time) error {
	ok, after := c.server.Frames.Allow(c.Address, 1, now)
	if !ok {
		if c.excessFrames++; c.excessFrames > floodLimit {
			c.feed.HangUp(ws.CloseNotAllowed, "too many frames")
		}
		return protocol.TooMany("frames", after)
	}
	c.excessFrames = max(0, c.excessFrames-1)
	return nil
}
