package main

import (
	"bufio"
	"burble/app/protocol"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/gobwas/ws"
)

const (
	// deadAfter is how long a client may be silent, and how long one message may take,
	// in however many frames. Every browser answers pings.
	deadAfter = 60 * time.Second
	// socketBuffer holds a usual frame of a client; every idle socket has one.
	socketBuffer = 512
	// socketChunk is how much of a frame is waited for at a time: what a client only
	// announces takes no memory.
	socketChunk = 4 << 10
	// lastCloseCode is the highest there is, RFC 6455 section 7.4.2.
	lastCloseCode = 4999
	// lastRegistered is the last of the codes that IANA registered after the RFC, from
	// 1012 on: the library knows only those before.
	lastRegistered = 1014
)

// socketReader reads what a client sends on a WebSocket. It is the session's
// goroutine's alone.
type socketReader struct {
	in    *bufio.Reader
	state ws.State // ws.StateFragmented: between the frames of one message
}

func newSocketReader(conn io.Reader) socketReader {
	return socketReader{in: bufio.NewReaderSize(conn, socketBuffer), state: ws.StateServerSide}
}

// goodbye is the end of a connection for a reason that the client is told; its own, when
// it said so first.
type goodbye struct {
	code   int
	reason string
}

func (g *goodbye) Error() string { return fmt.Sprintf("close %d: %s", g.code, g.reason) }

// message is the client's next message; not whole: it was a control frame, and there
// is none yet. Control frames, which may come between the frames of a message too, are
// answered. The error is a *goodbye, or the connection's.
func (s *session) message() (message []byte, whole bool, err error) {
	for sound := 0; ; {
		header, err := s.frameHeader(len(message))
		if err != nil {
			return nil, false, err
		}
		if header.OpCode.IsControl() {
			if err := s.control(header); err != nil || !s.state.Fragmented() {
				return nil, false, err // the next message is not waited for here, see serve
			}
			continue
		}
		if message, err = s.payload(message, header); err != nil {
			return nil, false, err
		}
		var ok bool
		if sound, ok = checkUTF8(message, sound, header.Fin); !ok {
			return nil, false, &goodbye{code: closeNotUTF8, reason: "not UTF-8"}
		}
		if header.Fin {
			s.state = s.state.Clear(ws.StateFragmented)
			return message, true, nil
		}
		s.state = s.state.Set(ws.StateFragmented)
		s.allowFrame(time.Now()) // the last one is counted with the message
	}
}

// checkUTF8 says whether a message, which is UTF-8 up to sound, is so to its end, and
// up to where it is now: the end of what is not whole yet may be half a character.
func checkUTF8(message []byte, sound int, whole bool) (int, bool) {
	end := len(message)
	for i := end - 1; !whole && i >= max(sound, end-utf8.UTFMax); i-- {
		if utf8.RuneStart(message[i]) {
			if !utf8.FullRune(message[i:]) {
				end = i
			}
			break
		}
	}
	return end, utf8.Valid(message[sound:end])
}

// await waits until there is a frame to read, and gives its message its time.
func (s *session) await() error {
	if !s.state.Fragmented() {
		s.conn.SetReadDeadline(time.Now().Add(deadAfter))
	}
	if s.isClosed() { // only after the deadline was set: hangUp sets another
		return net.ErrClosed
	}
	_, err := s.in.Peek(1)
	return err
}

// frameHeader is the header of the next frame, of a message of which so much is there
// already.
func (s *session) frameHeader(already int) (ws.Header, error) {
	if err := s.await(); err != nil {
		return ws.Header{}, err
	}
	header, err := ws.ReadHeader(s.in)
	if errors.Is(err, ws.ErrHeaderLengthMSB) {
		return header, &goodbye{code: closeProtocol, reason: err.Error()}
	}
	if err != nil {
		return header, err
	}
	if err := ws.CheckHeader(header, s.state); err != nil {
		return header, &goodbye{code: closeProtocol, reason: err.Error()}
	}
	switch {
	case header.OpCode == ws.OpBinary:
		return header, &goodbye{code: closeNotText, reason: "frames are text"}
	case header.Length > int64(protocol.MaxFrame-already) && header.OpCode.IsData():
		return header, &goodbye{code: closeTooBig, reason: "a message has at most 64 KiB"}
	}
	return header, nil
}

// payload appends a frame's payload, unmasked.
func (s *session) payload(message []byte, header ws.Header) ([]byte, error) {
	start := len(message)
	for left := int(header.Length); left > 0; {
		next := min(left, socketChunk)
		message = slices.Grow(message, next)[:len(message)+next]
		if _, err := io.ReadFull(s.in, message[len(message)-next:]); err != nil {
			return nil, err
		}
		left -= next
	}
	ws.Cipher(message[start:], header.Mask, 0)
	return message, nil
}

// control answers a ping or a close: RFC 6455 section 5.5.
func (s *session) control(header ws.Header) error {
	payload, err := s.payload(nil, header)
	if err != nil {
		return err
	}
	s.allowFrame(time.Now()) // a flood of them ends the connection
	switch {
	case header.OpCode == ws.OpPing:
		s.write(webSocketFrame(opPong, payload))
	case header.OpCode == ws.OpClose && len(payload) == 0:
		return &goodbye{code: closeNormal}
	case header.OpCode == ws.OpClose:
		code, reason := ws.ParseCloseFrameData(payload)
		err := checkClose(code, reason)
		switch {
		case err == ws.ErrProtocolInvalidUTF8:
			return &goodbye{code: closeNotUTF8, reason: "not UTF-8"}
		case err != nil:
			return &goodbye{code: closeProtocol, reason: err.Error()}
		}
		return &goodbye{code: int(code)}
	}
	return nil
}

// checkClose says whether a client may close with that.
func checkClose(code ws.StatusCode, reason string) error {
	switch {
	case code > lastCloseCode:
		return ws.ErrProtocolStatusCodeUnknown
	case code >= closeRestart && code <= lastRegistered:
		code = closeNormal
	}
	return ws.CheckCloseFrameData(code, reason)
}
