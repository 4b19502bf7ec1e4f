package socket_test

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"burble/app/client"
	"burble/app/identity"
	"burble/app/limit"
	"burble/app/live"
	"burble/app/protocol"
	"burble/app/socket"
	"burble/app/ws"
	"burble/streams"

	gobwas "github.com/gobwas/ws"
)

// Helpers for this package's tests. The server has no chat service and no HTTP. It treats TCP
// connections as if they had been upgraded, and refuses frames of an unknown type.
//
//	startServer         starts a server until the test ends
//	connect             connects a client and reads the hello
//	write, readFrame    write the client's raw bytes, read the server's frames
//	responses           closes the connection and returns everything that the server sent
//	text, ping, closing, fragments, split    return a client's frames

// patience is how long a test waits for something that must happen.
const patience = time.Minute

// The FIN bit and the opcode of a continuation, in the first byte of a frame (RFC 6455 section 5.2).
// Package ws has the other opcodes.
const (
	fin            = 0x80
	opContinuation = 0
)

// startServer starts a server with a limit of frames a second for each address; 0 means no limit.
func startServer(t *testing.T, frameRate float64) *socket.Server {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	engine := live.New(live.Options{Log: log})
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { engine.Run(ctx) })
	t.Cleanup(func() {
		engine.Drain(context.Background())
		cancel()
		running.Wait()
	})
	return &socket.Server{
		Engine: engine, Frames: limit.NewRate(frameRate, int(4*frameRate)),
		LogError: func(*protocol.Error, ...any) {},
	}
}

// conn is a client's side of a connection.
type conn struct {
	*net.TCPConn
	t *testing.T
}

// connect connects a client to the server and reads the hello.
func connect(t *testing.T, server *socket.Server) *conn {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	dialed, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dialed.Close() })
	accepted, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	hello := socket.Hello(identity.User{}, streams.Memory, nil)
	err = server.Engine.Start(accepted, live.WebSocket, "", hello, func(feed *live.Feed) {
		server.Serve(feed, &socket.Client{Conn: accepted, Input: accepted, Address: "203.0.113.1"})
	})
	if err != nil {
		t.Fatal(err)
	}
	dialed.SetDeadline(time.Now().Add(patience))
	c := &conn{dialed.(*net.TCPConn), t}
	if opcode, payload, err := c.readFrame(); opcode != ws.OpText || !strings.Contains(string(payload), `"hello"`) {
		t.Fatalf("opcode %d, payload %s, %v; want hello", opcode, payload, err)
	}
	return c
}

// write writes raw bytes and ignores errors, because the server may have closed the connection.
func (c *conn) write(data []byte) { c.Write(data) }

// readFrame returns the server's next frame, which must be unfragmented and unmasked.
func (c *conn) readFrame() (opcode byte, payload []byte, err error) {
	c.t.Helper()
	header, err := gobwas.ReadHeader(c)
	if err != nil {
		return 0, nil, err
	}
	if !header.Fin || header.Rsv != 0 || header.Masked {
		c.t.Fatalf("the server sent a frame with the header %+v, want FIN, no RSV bits and no mask", header)
	}
	payload = make([]byte, header.Length)
	_, err = io.ReadFull(c, payload)
	return byte(header.OpCode), payload, err
}

// responses sends a close frame, as a client should, and returns everything that the server sent up
// to its own close frame: "echo …", "pong …", "error <code>" and "close <code>", separated by " | ".
func (c *conn) responses() string {
	c.t.Helper()
	c.write(closing(1000, ""))
	var responses []string
	for closed := false; ; {
		opcode, payload, err := c.readFrame()
		switch {
		case errors.Is(err, io.EOF), err != nil && closed: // a reset if the client wrote more
			return strings.Join(responses, " | ")
		case err != nil:
			return strings.Join(append(responses, err.Error()), " | ")
		case closed:
			c.t.Fatalf("the server sent opcode %d, payload %s after the close frame", opcode, payload)
		}
		responses = append(responses, describe(c.t, opcode, payload))
		if closed = opcode == ws.OpClose; closed {
			c.CloseWrite()
		}
	}
}

// describe describes a frame of the server, in the format of responses. The error for an unknown type
// quotes the type. It stands in for the echo that the Autobahn test suite expects.
func describe(t *testing.T, opcode byte, payload []byte) string {
	t.Helper()
	switch opcode {
	case ws.OpPong:
		return fmt.Sprintf("pong %s", payload)
	case ws.OpClose:
		return fmt.Sprintf("close %d", binary.BigEndian.Uint16(payload))
	}
	var frame struct{ Type, Code, Message string }
	if err := json.Unmarshal(payload, &frame); err != nil || opcode != ws.OpText {
		t.Fatalf("opcode %d, payload %s; want JSON: %v", opcode, payload, err)
	}
	quoted, found := strings.CutPrefix(strings.TrimSuffix(frame.Message, "."), "There is no frame of type ")
	if !found {
		return strings.TrimSpace(frame.Type + " " + frame.Code)
	}
	text, err := strconv.Unquote(quoted)
	if err != nil {
		t.Fatalf("unquote the type in %s: %v", payload, err)
	}
	return "echo " + text
}

// echoed returns a message that the server answers with "echo " and the text, which has at most 40
// characters.
func echoed(text string) string { return `{"type":"` + text + `"}` }

// padded returns a message of size bytes that the server answers with "echo end". It begins with the
// padding.
func padded(size int) string { return fmt.Sprintf("%*s", size, echoed("end")) }

// text returns a text message in one frame.
func text(message string) []byte { return client.RawFrame(fin|ws.OpText, []byte(message)) }

// ping returns a ping frame.
func ping(payload string) []byte { return client.RawFrame(fin|ws.OpPing, []byte(payload)) }

// closing returns a close frame.
func closing(code int, reason string) []byte {
	return client.RawFrame(fin|ws.OpClose, append(binary.BigEndian.AppendUint16(nil, uint16(code)), reason...))
}

// fragments returns a message with one frame for each part.
func fragments(opcode byte, parts ...string) []byte {
	var frames []byte
	for i, part := range parts {
		first := byte(opContinuation)
		if i == 0 {
			first = opcode
		}
		if i == len(parts)-1 {
			first |= fin
		}
		frames = append(frames, client.RawFrame(first, []byte(part))...)
	}
	return frames
}

// split cuts a message into parts of size bytes. The last part may be shorter.
func split(message string, size int) (parts []string) {
	for len(message) > size {
		parts, message = append(parts, message[:size]), message[size:]
	}
	return append(parts, message)
}
