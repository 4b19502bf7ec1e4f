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
	// bufferSize fits a typical frame from a client. Every idle connection keeps a buffer.
	bufferSize = 512
	// chunkSize is how much of a payload is allocated and read at a time, so that a long payload
	// uses no memory before it arrives.
	chunkSize = 4 << 10
	// maxCloseCode is the highest valid close code (RFC 6455 section 7.4.2).
	maxCloseCode = 4999
	// lastRegisteredCode is the last of the close codes, from 1012 on, that IANA has registered
	// since the RFC. gobwas accepts only those in the RFC.
	lastRegisteredCode = 1014
)

// Reader reads a client's messages. Set its callbacks before the first call.
type Reader struct {
	// Wait, if set, is called before each frame. fragmented reports whether the frame is within a
	// fragmented message. If Wait returns an error, so does Next.
	Wait func(fragmented bool) error
	// Control, if set, is called for each ping and pong. It should answer pings.
	Control func(opcode byte, payload []byte)
	// Overhead, if set, is called for each frame that does not end a message: a control frame or a
	// fragment. The caller can use it to limit a client that sends only such frames.
	Overhead func()

	limit int // maximum size of a message in bytes
	in    *bufio.Reader
	state gobwas.State // StateFragmented between the frames of one message
}

// CloseError is the close frame that the server must close the connection with, because the client
// violated the protocol or sent a close frame itself.
type CloseError struct {
	Code   int
	Reason string
}

func (e *CloseError) Error() string { return fmt.Sprintf("close %d: %s", e.Code, e.Reason) }

// NewReader returns a Reader that accepts messages of at most limit bytes.
func NewReader(conn io.Reader, limit int) *Reader {
	return &Reader{limit: limit, in: bufio.NewReaderSize(conn, bufferSize), state: gobwas.StateServerSide}
}

// Await blocks until the next frame begins to arrive. It returns any error from Wait or the
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

// Next returns the client's next message, and handles control frames within it. After a control
// frame between two messages, Next returns no message, and whole is false. The error is a *CloseError
// or comes from Wait or the connection.
func (r *Reader) Next() (message []byte, whole bool, err error) {
	for valid := 0; ; {
		header, err := r.readHeader(len(message))
		if err != nil {
			return nil, false, err
		}
		if header.OpCode.IsControl() {
			if err := r.handleControl(header); err != nil || !r.state.Fragmented() {
				return nil, false, err
			}
			continue
		}
		if message, err = r.readPayload(message, header); err != nil {
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
		r.countOverhead()
	}
}

// checkUTF8 reports whether a message is valid UTF-8. Earlier calls have checked the first valid bytes,
// and checked is how many bytes have been checked after this call. If whole is false, the message may end
// within a character.
func checkUTF8(message []byte, valid int, whole bool) (checked int, ok bool) {
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

// readHeader waits for the header of the next frame and checks it. bytesRead is how many bytes of the
// message have been read.
func (r *Reader) readHeader(bytesRead int) (gobwas.Header, error) {
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
	case header.Length > int64(r.limit-bytesRead) && header.OpCode.IsData():
		return header, &CloseError{CloseTooBig, fmt.Sprintf("a message has at most %d KiB", r.limit>>10)}
	}
	return header, nil
}

// readPayload reads a frame's payload, unmasks it and appends it to the message.
func (r *Reader) readPayload(message []byte, header gobwas.Header) ([]byte, error) {
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

// handleControl handles a control frame (RFC 6455 section 5.5).
func (r *Reader) handleControl(header gobwas.Header) error {
	payload, err := r.readPayload(nil, header)
	if err != nil {
		return err
	}
	r.countOverhead()
	if header.OpCode != gobwas.OpClose {
		if r.Control != nil {
			r.Control(byte(header.OpCode), payload)
		}
		return nil
	}
	return closeError(payload)
}

func (r *Reader) countOverhead() {
	if r.Overhead != nil {
		r.Overhead()
	}
}

// closeError returns the answer to a client's close frame, with the same code, or with the reason why
// the frame is invalid.
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

// checkClose checks the code and the reason of a client's close frame.
func checkClose(code gobwas.StatusCode, reason string) error {
	switch {
	case code > maxCloseCode:
		return gobwas.ErrProtocolStatusCodeUnknown
	case code >= CloseRestart && code <= lastRegisteredCode:
		code = CloseNormal
	}
	return gobwas.CheckCloseFrameData(code, reason)
}
