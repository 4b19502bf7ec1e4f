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
	"burble/app/protocol"
	"burble/app/ws"
	"burble/streams"
)

const (
	// silenceTimeout is how long a client may send nothing, and how long it may take to send one
	// message, in any number of frames. An idle client answers pings, as every browser does.
	silenceTimeout = 60 * time.Second
	// floodLimit is how many more frames may be refused than accepted before the connection is
	// closed.
	floodLimit = 200
)

// Server holds what all clients share. Its fields must not change while it serves.
type Server struct {
	Chat   *chat.Service
	Engine *live.Engine
	Frames *limit.Rate // of frames, by address
	// LogError logs an error if it is the server's fault. It is called from many goroutines at
	// once.
	LogError func(refused *protocol.Error, args ...any)
}

// Client is a client that has connected.
type Client struct {
	Conn    net.Conn
	Input   io.Reader       // reads from Conn, after anything that was read from it before
	User    identity.User   // zero: may only read
	Address string          // the key of its limits
	Follow  *protocol.Frame // the follow in the URL; nil: none
}

// client is the state of a Client while it is served.
type client struct {
	Client
	server *Server
	feed   *live.Feed
	reader *ws.Reader

	sends    bool                 // it has appended something
	overRate int                  // frames refused by the rate, less those accepted; at least 0
	present  map[string]bool      // the rooms that it has joined
	typed    map[string]time.Time // when it last signalled typing, by room
}

// Hello returns the frame that every connection begins with.
func Hello(user identity.User, durability streams.Durability) []byte {
	return ws.Text(protocol.EncodeHello(streams.User(user), durability))
}

// Serve serves a client until its connection is closed. The feed's head must end with Hello.
func (s *Server) Serve(feed *live.Feed, connected Client) {
	c := &client{Client: connected, server: s, feed: feed, reader: ws.NewReader(connected.Input, protocol.MaxFrame)}
	c.reader.Wait, c.reader.Control, c.reader.Overhead = c.wait, c.control, c.countFrame
	defer c.leaveAll()
	s.Engine.RunOnWorker(c.start)
	for c.reader.Await() == nil {
		if c.sends {
			c.readNext() // a client that sends keeps a stack of its own
		} else {
			s.Engine.RunOnWorker(c.readNext)
		}
	}
}

// start follows the room in the URL. Without one it writes the head, with Hello; a follow writes that
// together with what it reads first.
func (c *client) start() {
	defer c.feed.Recover()
	if c.Follow == nil {
		c.feed.Write(nil)
		return
	}
	if err := c.follow(*c.Follow); err != nil {
		c.refuse(err, *c.Follow)
	}
}

// wait sets the deadline for the next message. An error ends the connection.
func (c *client) wait(fragmented bool) error {
	if !fragmented {
		c.Conn.SetReadDeadline(time.Now().Add(silenceTimeout))
	}
	if c.feed.Closed() { // after setting the deadline, which may have replaced that of HangUp
		return net.ErrClosed
	}
	return nil
}

// control answers pings, RFC 6455 section 5.5.2.
func (c *client) control(opcode byte, payload []byte) {
	if opcode == ws.OpPing {
		c.feed.Write(ws.Frame(ws.OpPong, payload))
	}
}

// readNext reads and handles the client's next message, or hangs up at the end of the connection.
func (c *client) readNext() {
	defer c.feed.Recover()
	message, whole, err := c.reader.Next()
	if closed := (*ws.CloseError)(nil); errors.As(err, &closed) {
		c.feed.HangUp(closed.Code, closed.Reason)
	} else if err != nil {
		c.feed.HangUpGone()
	} else if whole {
		c.handle(message)
	}
}

// handle handles one frame. It answers a refused frame with its error.
func (c *client) handle(data []byte) {
	frame, err := protocol.Parse(data)
	isJSON := !errors.Is(err, protocol.ErrNotJSON)
	if tooMany := c.allowFrame(time.Now()); tooMany != nil { // invalid frames count, too
		err = tooMany
	}
	if err == nil {
		err = c.do(frame)
	}
	if err == nil {
		return
	}
	c.refuse(err, frame)
	if !isJSON {
		c.feed.HangUp(ws.CloseNotAllowed, "frames must be JSON")
	}
}

// refuse answers a frame with its error.
func (c *client) refuse(err error, frame protocol.Frame) {
	refused := protocol.AsError(err)
	c.server.LogError(refused, "room", frame.Room)
	c.feed.Write(ws.Text(protocol.EncodeError(refused, frame.Room, frame.Key)))
}

// countFrame counts a frame that does not end a message.
func (c *client) countFrame() { c.allowFrame(time.Now()) }

// allowFrame counts a frame against the address's rate. The error says that it is refused. A flood
// closes the connection, even though the rate accepts some of its frames every second.
func (c *client) allowFrame(now time.Time) error {
	ok, after := c.server.Frames.Allow(c.Address, 1, now)
	if !ok {
		if c.overRate++; c.overRate > floodLimit {
			c.feed.HangUp(ws.CloseNotAllowed, "too many frames")
		}
		return protocol.TooMany("frames", after)
	}
	c.overRate = max(0, c.overRate-1)
	return nil
}
