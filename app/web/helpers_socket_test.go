package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"testing"

	"burble/app/client"

	"github.com/gobwas/ws"
)

// testSocket is a WebSocket client that checks that each batch of entries begins where the previous one
// ended.
type testSocket struct {
	*client.Socket
	t     testing.TB
	chain client.Chain
	pings int // sent

	entries map[string][]client.Entry // read so far, by room
	batches []receivedFrame           // entries of all rooms
	waiting []receivedFrame           // frames read while the test waited for another type
}

// receivedFrame is a frame from the server.
type receivedFrame struct {
	client.Frame
	text string // decompressed
	size int    // of the WebSocket message, in bytes
}

// dial opens a socket, or returns the response that refused it.
func (s *testServer) dial(headers ...string) (*testSocket, *client.Error) {
	s.t.Helper()
	return s.dialPath("/ws", headers...)
}

// dialPath is like dial, for a path whose query may contain a follow.
func (s *testServer) dialPath(path string, headers ...string) (*testSocket, *client.Error) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	socket, err := s.client.Open(ctx, path, headers...)
	if refused, ok := errors.AsType[*client.Error](err); ok {
		return nil, refused
	}
	if err != nil {
		s.t.Fatalf("dial: %v", err)
	}
	s.t.Cleanup(socket.Cut)
	c := &testSocket{Socket: socket, t: s.t, entries: map[string][]client.Entry{}}
	if address, _ := url.Parse(path); address.Query().Has("room") {
		c.chain.AddFollow(client.Follow{Room: address.Query().Get("room"), After: address.Query().Get("after")})
	}
	return c, nil
}

// open opens a socket and reads its hello. The server must accept it.
func (s *testServer) open(headers ...string) *testSocket {
	s.t.Helper()
	c, refused := s.dial(headers...)
	if refused != nil {
		s.t.Fatalf("dial: %v", refused)
	}
	await[*client.Hello](c)
	return c
}

// connect opens a socket as the user.
func (s *testServer) connect(user testUser) *testSocket {
	s.t.Helper()
	if user.Token == "" {
		return s.open()
	}
	return s.open(user.bearer())
}

// sendf sends a frame.
func (c *testSocket) sendf(format string, args ...any) {
	c.t.Helper()
	c.send(fmt.Sprintf(format, args...))
}

// send sends a frame, which need not be valid.
func (c *testSocket) send(text string) {
	c.t.Helper()
	var follow struct{ Type, Room, After string }
	if json.Unmarshal([]byte(text), &follow) == nil && follow.Type == "follow" {
		c.chain.AddFollow(client.Follow{Room: follow.Room, After: follow.After})
	}
	if err := c.WriteMessage(client.OpText, []byte(text)); err != nil {
		c.t.Fatalf("send %.100s: %v", text, err)
	}
}

// next returns the next WebSocket message of any kind. It answers pings.
func (c *testSocket) next(wanted string) client.RawMessage {
	c.t.Helper()
	message, err := c.Read()
	if err != nil {
		c.t.Fatalf("waiting for %s: %v", wanted, err)
	}
	if message.Op == client.OpPing {
		c.WriteMessage(client.OpPong, message.Data)
	}
	return message
}

// nextFrame returns the server's next frame. It adds entries to c.entries and c.batches.
func (c *testSocket) nextFrame(wanted string) receivedFrame {
	c.t.Helper()
	for {
		message := c.next(wanted)
		switch message.Op {
		case client.OpText, client.OpBinary:
			return c.receive(message)
		case client.OpClose:
			c.t.Fatalf("waiting for %s: closed with %q", wanted, message.Data)
		}
	}
}

// receive decodes a frame and checks the chain of its room.
func (c *testSocket) receive(message client.RawMessage) receivedFrame {
	c.t.Helper()
	text, err := message.Text()
	if err != nil {
		c.t.Fatalf("decompress a binary message: %v", err)
	}
	frame, err := message.Decode()
	if err == nil {
		err = c.chain.Check(frame)
	}
	if err != nil {
		c.t.Fatal(err)
	}
	got := receivedFrame{frame, string(text), len(message.Data)}
	if batch, ok := frame.(*client.Entries); ok {
		c.entries[batch.Room] = append(c.entries[batch.Room], batch.Entries...)
		c.batches = append(c.batches, got)
	}
	return got
}

// keep keeps a frame for a later await. It drops entries, which nextFrame has added to c.entries.
func (c *testSocket) keep(got receivedFrame) {
	if _, ok := got.Frame.(*client.Entries); !ok {
		c.waiting = append(c.waiting, got)
	}
}

// await returns the first kept frame of type F, or else the next one received. It fails the test if
// it receives an error frame, unless F is *client.Error.
func await[F client.Frame](c *testSocket) F {
	c.t.Helper()
	return awaitReceived[F](c).Frame.(F)
}

// awaitText is like await, but returns the frame's JSON.
func awaitText[F client.Frame](c *testSocket) string {
	c.t.Helper()
	return awaitReceived[F](c).text
}

// awaitWhere returns the next frame of type F that matches. It drops those that do not.
func awaitWhere[F client.Frame](c *testSocket, matches func(F) bool) F {
	c.t.Helper()
	for {
		if frame := await[F](c); matches(frame) {
			return frame
		}
	}
}

func awaitReceived[F client.Frame](c *testSocket) receivedFrame {
	c.t.Helper()
	isWanted := func(got receivedFrame) bool { _, ok := got.Frame.(F); return ok }
	if i := slices.IndexFunc(c.waiting, isWanted); i >= 0 {
		got := c.waiting[i]
		c.waiting = slices.Delete(c.waiting, i, i+1)
		return got
	}
	for {
		got := c.nextFrame(fmt.Sprintf("%T", *new(F)))
		if isWanted(got) {
			return got
		}
		if refused, ok := got.Frame.(*client.Error); ok {
			c.t.Fatalf("waiting for %T: %v", *new(F), refused)
		}
		c.keep(got)
	}
}

// read reads until the socket has at least count entries of the room, and returns all of them.
func (c *testSocket) read(room string, count int) []client.Entry {
	c.t.Helper()
	for len(c.entries[room]) < count {
		got := c.nextFrame(fmt.Sprintf("%d entries of %s", count, room))
		if refused, ok := got.Frame.(*client.Error); ok {
			c.t.Fatalf("reading %s: %v", room, refused)
		}
		c.keep(got)
	}
	return c.entries[room]
}

// readNext returns a function that reads the room's next entries. It begins after the entries that
// the socket has already read.
func (c *testSocket) readNext(room string) func(count int) []client.Entry {
	start := len(c.entries[room])
	return func(count int) []client.Entry {
		c.t.Helper()
		start += count
		return c.read(room, start)[start-count : start]
	}
}

// sync returns once the server has handled every frame sent before.
func (c *testSocket) sync() {
	c.t.Helper()
	c.pings++
	payload := strconv.Itoa(c.pings)
	if err := c.WriteMessage(client.OpPing, []byte(payload)); err != nil {
		c.t.Fatalf("ping: %v", err)
	}
	for {
		switch message := c.next("pong"); message.Op {
		case client.OpPong:
			if string(message.Data) == payload {
				return
			}
		case client.OpClose:
			c.t.Fatalf("waiting for pong: closed with %q", message.Data)
		case client.OpText, client.OpBinary:
			c.keep(c.receive(message))
		}
	}
}

// awaitClose reads up to the close frame and returns its code.
func (c *testSocket) awaitClose() int {
	c.t.Helper()
	for {
		switch message := c.next("a close frame"); message.Op {
		case client.OpClose:
			c.WriteMessage(client.OpClose, message.Data[:min(2, len(message.Data))])
			code, _ := ws.ParseCloseFrameData(message.Data)
			return int(code)
		case client.OpText, client.OpBinary:
			c.keep(c.receive(message))
		}
	}
}

// follow follows a room. more contains additional fields, such as `,"last":5`.
func (c *testSocket) follow(room, more string) *client.Followed {
	c.t.Helper()
	c.sendf(`{"type":"follow","room":"%s"%s}`, room, more)
	return await[*client.Followed](c)
}

// post sends a message and returns its entry ID.
func (c *testSocket) post(room, text string) string {
	c.t.Helper()
	return c.appendf(`{"type":"send","room":"%s","key":"%s","text":%s}`, room, client.NewKey(), quote(text))
}

// appendf sends a frame that stores an entry, and returns the entry's ID.
func (c *testSocket) appendf(format string, args ...any) string {
	c.t.Helper()
	c.sendf(format, args...)
	return await[*client.Stored](c).ID
}
