package ws

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"unicode/utf8"

	gobwas "github.com/gobwas/ws"
)

const (
	// bufferSize holds a usual frame from a client. Every idle connection has one buffer.
	bufferSize = 512
	// chunkSize is how much of a payload is waited for at a time. A length that a client
	// only announces takes no memory.
	chunkSize = 4 << 10
	// maxCloseCode is the highest code there is, RFC 6455 section 7.4.2.
	maxCloseCode = 4999
	// lastRegistered is the last of the codes that IANA registered after the RFC, from 1012
	// on. The library knows only those of the RFC.
	lastRegistered = 1014
)

// Reader reads what a client sends. Set the callbacks before the first call.
type Reader struct {
	// Wait, if set, is called before each frame. fragmented reports that the frame
	// continues a message. An error of Wait ends the reading.
	Wait func(fragmented bool) error
	// Control, if set, is called for each ping and pong. It answers pings.
	Control func(opcode byte, payload []byte)
	// Overhead, if set, is called for each frame that does not end a message: a control
	// frame, or a fragment. It bounds a client that sends nothing else.
	Overhead func()

	limit int // bytes of a message
	in    *bufio.Reader
	state gobwas.State // StateFragmented: between the frames of one message
}

// CloseError reports that the connection must be closed, and how: because the client broke
// a rule, or because it closed the connection itself.
type CloseError struct {
	Code   int
	Reason string
}

func (e *CloseError) Error() string { return fmt.Sprintf("close %d: %s", e.Code, e.Reason) }

// NewReader returns a Reader of messages of at most limit bytes.
func NewReader(conn io.Reader, limit int) *Reader {
	return &Reader{limit: limit, in: bufio.NewReaderSize(conn, bufferSize), state: gobwas.StateServerSide}
}

// Await waits until there is a frame to read, or returns the error of Wait or of the
// connection.
func (r *Reader) Await() error {
	if r.Wait != nil {
		if err := r.Wait(r.state.Fragmented()); err != nil {
			return err
		}
	}
	_, err := r.in.Peek(1)
	return err
}

// Next reads up to the end of the client's next message, or of a control frame between two
// messages: then whole is false. Control frames within a message are handled on the way.
// The error is a *CloseError, or the connection's.
func (r *Reader) Next() (message []byte, whole bool, err error) {
	for valid := 0; ; {
		header, err := r.header(len(message))
		if err != nil {
			return nil, false, err
		}
		if header.OpCode.IsControl() {
			if err := r.control(header); err != nil || !r.state.Fragmented() {
				return nil, false, err
			}
			continue
		}
		if message, err = r.payload(message, header); err != nil {
			return nil, false, err
		}
		var ok bool
		if valid, ok = checkUTF8(message, valid, header.Fin); !ok {
			return nil, false, &CloseError{CloseNotUTF8, "not UTF-8"}
		}
		if header.Fin {
			r.state = r.state.Clear(gobwas.StateFragmented)
			return message, true, nil
		}
		r.state = r.state.Set(gobwas.StateFragmented)
		r.overhead()
	}
}

// checkUTF8 reports whether a message, whose first valid bytes are known to be UTF-8, is
// UTF-8, and returns how many bytes are now known to be: the end of an incomplete message
// may be a part of a character.
func checkUTF8(message []byte, valid int, whole bool) (int, bool) {
	end := len(message)
	for i := end - 1; !whole && i >= max(valid, end-utf8.UTFMax); i-- {
		if utf8.RuneStart(message[i]) {
			if !utf8.FullRune(message[i:]) {
				end = i
			}
			break
		}
	}
	return end, utf8.Valid(message[valid:end])
}

// header waits for and checks the header of the next frame. already is how much of the
// message has been read.
func (r *Reader) header(already int) (gobwas.Header, error) {
	if err := r.Await(); err != nil {
		return gobwas.Header{}, err
	}
	header, err := gobwas.ReadHeader(r.in)
	if errors.Is(err, gobwas.ErrHeaderLengthMSB) {
		return header, &CloseError{CloseProtocol, err.Error()}
	}
	if err != nil {
		return header, err
	}
	if err := gobwas.CheckHeader(header, r.state); err != nil {
		return header, &CloseError{CloseProtocol, err.Error()}
	}
	switch {
	case header.OpCode == gobwas.OpBinary:
		return header, &CloseError{CloseNotText, "frames must be text"}
	case header.Length > int64(r.limit-already) && header.OpCode.IsData():
		return header, &CloseError{CloseTooBig, fmt.Sprintf("a message has at most %d KiB", r.limit>>10)}
	}
	return header, nil
}

// payload appends a frame's payload, unmasked, to the message.
func (r *Reader) payload(message []byte, header gobwas.Header) ([]byte, error) {
	start := len(message)
	for left := int(header.Length); left > 0; {
		next := min(left, chunkSize)
		message = slices.Grow(message, next)[:len(message)+next]
		if _, err := io.ReadFull(r.in, message[len(message)-next:]); err != nil {
			return nil, err
		}
		left -= next
	}
	gobwas.Cipher(message[start:], header.Mask, 0)
	return message, nil
}

// control handles a control frame, RFC 6455 section 5.5.
func (r *Reader) control(header gobwas.Header) error {
	payload, err := r.payload(nil, header)
	if err != nil {
		return err
	}
	r.overhead()
	if header.OpCode != gobwas.OpClose {
		if r.Control != nil {
			r.Control(byte(header.OpCode), payload)
		}
		return nil
	}
	return closeError(payload)
}

func (r *Reader) overhead() {
	if r.Overhead != nil {
		r.Overhead()
	}
}

// closeError returns how to answer a client's close frame: with its own code, or with why
// the frame is not allowed.
func closeError(payload []byte) *CloseError {
	if len(payload) == 0 {
		return &CloseError{Code: CloseNormal}
	}
	code, reason := gobwas.ParseCloseFrameData(payload)
	switch err := checkClose(code, reason); {
	case err == gobwas.ErrProtocolInvalidUTF8:
		return &CloseError{CloseNotUTF8, "not UTF-8"}
	case err != nil:
		return &CloseError{CloseProtocol, err.Error()}
	}
	return &CloseError{Code: int(code)}
}

// checkClose checks what a client closes with.
func checkClose(code gobwas.StatusCode, reason string) error {
	switch {
	case code > maxCloseCode:
		return gobwas.ErrProtocolStatusCodeUnknown
	case code >= CloseRestart && code <= lastRegistered:
		code = CloseNormal
	}
	return gobwas.CheckCloseFrameData(code, reason)
}
