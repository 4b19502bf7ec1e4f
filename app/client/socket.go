package client

import (
	"bufio"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/gobwas/ws"
)

// frameLimit is larger than any frame that a server sends, in bytes.
const frameLimit = 64 << 20

// Socket is one WebSocket. Only one goroutine may read from it; any goroutine may write to it.
type Socket struct {
	Hello  Hello       // set by Dial
	Header http.Header // the header of the server's upgrade response

	// Timeout is the timeout of each read and write. The default is 60 s, because servers ping
	// every 20 s. Set it before the first use.
	Timeout time.Duration

	conn    net.Conn
	reader  *bufio.Reader
	writing sync.Mutex
}

// Opcode is the opcode of a message (RFC 6455 section 5.2).
type Opcode = ws.OpCode

const (
	OpText   = ws.OpText
	OpBinary = ws.OpBinary
	OpClose  = ws.OpClose
	OpPing   = ws.OpPing
	OpPong   = ws.OpPong
)

// RawMessage is one WebSocket message as received: text, binary, ping, pong or close.
type RawMessage struct {
	Op   Opcode
	Data []byte
}

// NetConn returns the connection that carries the WebSocket.
func (s *Socket) NetConn() net.Conn { return s.conn }

// Cut closes the connection without a close frame, as if the network had failed. Any goroutine may
// call it, even repeatedly. A blocked read or write then returns an error.
func (s *Socket) Cut() { s.conn.Close() }

// Close sends a close frame and closes the connection. It does not wait for the server's
// close frame.
func (s *Socket) Close(code int, reason string) {
	s.WriteMessage(OpClose, ws.NewCloseFrameBody(ws.StatusCode(code), reason))
	s.conn.Close()
}

// Next returns the server's next frame, and answers the server's pings. If the server sent a close
// frame, Next returns a *CloseError; if the connection was lost, it returns another error.
func (s *Socket) Next() (Frame, error) {
	for {
		message, err := s.Read()
		if err != nil {
			return nil, err
		}
		switch message.Op {
		case OpPing:
			err = s.WriteMessage(OpPong, message.Data)
		case OpPong:
		case OpClose:
			s.WriteMessage(OpClose, message.Data[:min(2, len(message.Data))])
			code, reason := ws.ParseCloseFrameData(message.Data)
			return nil, &CloseError{Code: int(code), Reason: reason}
		default:
			return message.Decode()
		}
		if err != nil {
			return nil, err
		}
	}
}

// Read returns the next message as received. Unlike Next, it does not answer pings.
func (s *Socket) Read() (RawMessage, error) {
	s.conn.SetReadDeadline(time.Now().Add(s.Timeout))
	header, err := ws.ReadHeader(s.reader)
	if err != nil {
		return RawMessage{}, fmt.Errorf("read: %w", err)
	}
	// Burble sends each message in one frame, unmasked.
	if err := ws.CheckHeader(header, ws.StateClientSide); err != nil {
		return RawMessage{}, fmt.Errorf("read: %w", err)
	}
	if !header.Fin || header.OpCode == ws.OpContinuation || header.Length > frameLimit {
		return RawMessage{}, fmt.Errorf("read: unexpected frame %+v", header)
	}
	data := make([]byte, header.Length)
	if _, err := io.ReadFull(s.reader, data); err != nil {
		return RawMessage{}, fmt.Errorf("read: %w", err)
	}
	return RawMessage{header.OpCode, data}, nil
}

// Send writes a request.
func (s *Socket) Send(request Request) error { return s.WriteMessage(OpText, encode(request)) }

// WriteMessage writes one message without checking that it is valid.
func (s *Socket) WriteMessage(op Opcode, data []byte) error {
	const fin = 0x80
	return s.WriteRaw(RawFrame(fin|byte(op), data))
}

// RawFrame returns a masked WebSocket frame, as clients send it. first is its first byte: FIN, the
// reserved bits and the opcode (RFC 6455 section 5.2).
func RawFrame(first byte, payload []byte) []byte {
	frame := []byte{first}
	switch n := len(payload); {
	case n < 126:
		frame = append(frame, 0x80|byte(n))
	case n < 1<<16:
		frame = binary.BigEndian.AppendUint16(append(frame, 0x80|126), uint16(n))
	default:
		frame = binary.BigEndian.AppendUint64(append(frame, 0x80|127), uint64(n))
	}
	var mask [4]byte
	rand.Read(mask[:]) // never fails
	frame = append(frame, mask[:]...)
	start := len(frame)
	frame = append(frame, payload...)
	ws.Cipher(frame[start:], mask, 0)
	return frame
}

// WriteRaw writes bytes to the connection without checking that they are a frame.
func (s *Socket) WriteRaw(data []byte) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	s.conn.SetWriteDeadline(time.Now().Add(s.Timeout))
	if _, err := s.conn.Write(data); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	return nil
}

// Sync sends a Ping and returns the frames received before its Pong. When Sync returns, the server has
// handled every request sent before, because it handles the requests of a socket in order. Entries may
// still be in transit.
func (s *Socket) Sync() (before []Frame, err error) {
	if err := s.Send(Ping{}); err != nil {
		return nil, err
	}
	for {
		frame, err := s.Next()
		if err != nil {
			return before, err
		}
		if _, ok := frame.(*Pong); ok {
			return before, nil
		}
		before = append(before, frame)
	}
}

// Await returns the next frame of type F, such as *Stored, and drops the frames before it. If the
// server sends an *Error, Await returns it as the error, unless F is *Error.
func Await[F Frame](s *Socket) (F, error) {
	for {
		frame, err := s.Next()
		if wanted, ok := frame.(F); ok {
			return wanted, nil
		}
		var zero F
		if refused, ok := frame.(*Error); ok {
			return zero, refused
		}
		if err != nil {
			return zero, err
		}
	}
}
