package web

import (
	"burble/app/protocol"
	"bytes"
	"compress/zlib"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"testing"
	"time"

	fasthttpws "github.com/fasthttp/websocket"
)

// testSocket is a client on a WebSocket. It checks of all it hears what the
// protocol has every client check: that each batch begins where the last ended.
type testSocket struct {
	t      testing.TB
	conn   *fasthttpws.Conn
	events chan heard
	done   chan struct{}
	pings  int // that it sent

	hello   serverFrame
	at      map[string]string // room to cursor
	entries map[string][]gotEntry
	batches []serverFrame       // entries of all rooms
	states  map[string][]string // of followed
	waiting []serverFrame       // read while waiting for another
}

// heard is one thing that came over the socket.
type heard struct {
	kind string // text, ping, pong or end
	data string
	size int   // of a text as it came
	err  error // end
}

// serverFrame is any frame of the server.
type serverFrame struct {
	Type, Room, Key, ID  string
	Protocol, Durability string
	State, At, First     string
	After, Upto          string
	Redis                string
	Code, Message, Field string
	RetryAfterMS         int64 `json:"retry_after_ms"`
	User                 *struct{ ID, Name string }
	Limits               struct{ Text int }
	Entries              []gotEntry
	raw                  string
	size                 int
}

// dial opens a socket, or returns the answer that refused it. Headers are "Name: value".
func (s *testServer) dial(headers ...string) (*testSocket, *http.Response) {
	s.t.Helper()
	return s.dialAt("/ws", headers...)
}

// dialAt is dial with a follow in the address.
func (s *testServer) dialAt(address string, headers ...string) (*testSocket, *http.Response) {
	s.t.Helper()
	dialer := fasthttpws.Dialer{Subprotocols: []string{protocol.Subprotocol}, HandshakeTimeout: patience}
	header := http.Header{}
	setHeaders(header, headers)
	conn, response, err := dialer.Dial("ws://"+s.host+address, header)
	if errors.Is(err, fasthttpws.ErrBadHandshake) {
		return nil, response
	}
	if err != nil {
		s.t.Fatalf("dial: %v", err)
	}
	c := &testSocket{
		t: s.t, conn: conn, events: make(chan heard, 4096), done: make(chan struct{}),
		at: map[string]string{}, entries: map[string][]gotEntry{}, states: map[string][]string{},
	}
	reading := make(chan struct{})
	go func() { defer close(reading); c.hear() }()
	s.t.Cleanup(func() {
		close(c.done)
		conn.Close()
		<-reading
	})
	return c, response
}

// connect opens a socket as the guest, and hears its hello.
func (s *testServer) connect(guest testGuest) *testSocket {
	s.t.Helper()
	var headers []string
	if guest.Token != "" {
		headers = []string{guest.bearer()}
	}
	c, response := s.dial(headers...)
	if c == nil {
		s.t.Fatalf("connect: %s", response.Status)
	}
	c.hello = c.await("hello")
	return c
}

// hear takes what comes, until the connection ends.
func (c *testSocket) hear() {
	pass := func(event heard) {
		select {
		case c.events <- event:
		case <-c.done:
		}
	}
	c.conn.SetPongHandler(func(data string) error { pass(heard{kind: "pong", data: data}); return nil })
	c.conn.SetPingHandler(func(data string) error {
		pass(heard{kind: "ping", data: data})
		return c.conn.WriteControl(fasthttpws.PongMessage, []byte(data), time.Now().Add(patience))
	})
	for {
		kind, data, err := c.conn.ReadMessage()
		if err != nil {
			pass(heard{kind: "end", err: err})
			return
		}
		size := len(data)
		if kind == fasthttpws.BinaryMessage {
			if data, err = inflated(data); err != nil {
				c.t.Errorf("a binary message is not deflated: %v", err)
			}
		}
		pass(heard{kind: "text", data: string(data), size: size})
	}
}

func inflated(data []byte) ([]byte, error) {
	reader, err := zlib.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(reader) // and checks the checksum
}

// send sends a frame.
func (c *testSocket) send(format string, args ...any) {
	c.t.Helper()
	c.sendText(fmt.Sprintf(format, args...))
}

// sendText sends a frame as it is.
func (c *testSocket) sendText(text string) {
	c.t.Helper()
	if err := c.conn.WriteMessage(fasthttpws.TextMessage, []byte(text)); err != nil {
		c.t.Fatalf("send %.100s: %v", text, err)
	}
}

// next is the next thing that comes.
func (c *testSocket) next(what string) heard {
	c.t.Helper()
	select {
	case event := <-c.events:
		return event
	case <-time.After(patience):
		c.t.Fatalf("waited in vain for %s", what)
		return heard{}
	}
}

// await is the next frame of the type, or the first that was passed over. An
// error that nobody waits for fails the test.
func (c *testSocket) await(kind string) serverFrame {
	c.t.Helper()
	for i, frame := range c.waiting {
		if frame.Type == kind {
			c.waiting = slices.Delete(c.waiting, i, i+1)
			return frame
		}
	}
	for {
		frame, ok := c.take(c.next(kind))
		switch {
		case !ok:
		case frame.Type == kind:
			return frame
		case frame.Type == "error":
			c.t.Fatalf("waiting for %s: %s", kind, frame.raw)
		default:
			c.waiting = append(c.waiting, frame)
		}
	}
}

// take notes what came; ok says that it is a frame.
func (c *testSocket) take(event heard) (frame serverFrame, ok bool) {
	c.t.Helper()
	switch event.kind {
	case "end":
		c.t.Fatalf("the connection ended: %v", event.err)
	case "ping", "pong":
		return frame, false
	}
	if err := json.Unmarshal([]byte(event.data), &frame); err != nil {
		c.t.Fatalf("%v in %s", err, event.data)
	}
	frame.raw, frame.size = event.data, event.size
	switch frame.Type {
	case "followed":
		c.at[frame.Room] = frame.At
		c.states[frame.Room] = append(c.states[frame.Room], frame.State)
	case "entries":
		if frame.After != c.at[frame.Room] {
			c.t.Fatalf("the chain of %s is broken at %q: %s", frame.Room, c.at[frame.Room], frame.raw)
		}
		c.at[frame.Room] = frame.Upto
		c.entries[frame.Room] = append(c.entries[frame.Room], frame.Entries...)
		c.batches = append(c.batches, frame)
		return frame, false // waited for by read, not by await
	}
	return frame, true
}

// read is the room's entries, once there are so many.
func (c *testSocket) read(room string, count int) []gotEntry {
	c.t.Helper()
	for len(c.entries[room]) < count {
		frame, ok := c.take(c.next(strconv.Itoa(count) + " entries"))
		if ok && frame.Type == "error" {
			c.t.Fatalf("reading %s: %s", room, frame.raw)
		} else if ok {
			c.waiting = append(c.waiting, frame)
		}
	}
	return c.entries[room]
}

// more reads the room's next entries from where the call before ended.
func (c *testSocket) more(room string) func(count int) []gotEntry {
	begun := len(c.entries[room])
	return func(count int) []gotEntry {
		c.t.Helper()
		begun += count
		return c.read(room, begun)[begun-count : begun]
	}
}

// settle returns when the server has taken all that was sent.
func (c *testSocket) settle() {
	c.t.Helper()
	c.pings++
	payload := strconv.Itoa(c.pings)
	if err := c.conn.WriteControl(fasthttpws.PingMessage, []byte(payload), time.Now().Add(patience)); err != nil {
		c.t.Fatalf("ping: %v", err)
	}
	for {
		event := c.next("pong")
		if event.kind == "pong" && event.data == payload {
			return
		}
		if frame, ok := c.take(event); ok {
			c.waiting = append(c.waiting, frame)
		}
	}
}

// closed is the code of the close frame that ends the connection.
func (c *testSocket) closed() int {
	c.t.Helper()
	for {
		event := c.next("the end")
		if event.kind != "end" {
			if event.kind == "text" {
				frame, _ := c.take(event)
				c.waiting = append(c.waiting, frame)
			}
			continue
		}
		var end *fasthttpws.CloseError
		if !errors.As(event.err, &end) {
			c.t.Fatalf("ended without a close frame: %v", event.err)
		}
		return end.Code
	}
}

// follow follows a room, with more fields as JSON has them.
func (c *testSocket) follow(room, more string) serverFrame {
	c.t.Helper()
	c.send(`{"type":"follow","room":"%s"%s}`, room, more)
	return c.await("followed")
}

// say sends a message and returns its entry ID.
func (c *testSocket) say(room, text string) string {
	c.t.Helper()
	return c.do(`{"type":"send","room":"%s","key":"%s","text":%s}`, room, newKey(), quoted(text))
}

// do sends a frame that stores something, and returns the entry ID.
func (c *testSocket) do(format string, args ...any) string {
	c.t.Helper()
	c.send(format, args...)
	return c.await("stored").ID
}

// quoted is the text as a JSON string.
func quoted(text string) string {
	quoted, _ := json.Marshal(text)
	return string(quoted)
}
