package ws

import "slices"

// Opcodes of frames (RFC 6455 section 5.2).
const (
	OpText   = 1
	OpBinary = 2
	OpClose  = 8
	OpPing   = 9
	OpPong   = 10
)

// Codes of close frames (RFC 6455 section 7.4.1). The last one is from the range that section 7.4.2
// reserves for private use.
const (
	CloseNormal     = 1000
	CloseProtocol   = 1002
	CloseNotText    = 1003
	CloseNotUTF8    = 1007
	CloseNotAllowed = 1008
	CloseTooBig     = 1009
	CloseInternal   = 1011 // the server has a bug
	CloseRestart    = 1012 // the client must reconnect, for example because the server is shutting down
	CloseSignedOut  = 4001 // the client's session has ended
	CloseTooSlow    = 4008 // the client did not read fast enough
)

// Frame returns one unfragmented frame. Servers do not mask their frames (RFC 6455 section 5.1).
func Frame(opcode byte, payload []byte) []byte {
	frame := make([]byte, 0, len(payload)+10)
	frame = append(frame, 0x80|opcode)
	switch n := len(payload); {
	case n < 126:
		frame = append(frame, byte(n))
	case n < 1<<16:
		frame = append(frame, 126, byte(n>>8), byte(n))
	default:
		frame = append(frame, 127, 0, 0, 0, 0, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	}
	return append(frame, payload...)
}

// Text returns a text frame.
func Text(payload []byte) []byte { return Frame(OpText, payload) }

// CloseFrame returns a close frame (RFC 6455 section 5.5.1). The reason has at most 123 bytes.
func CloseFrame(code int, reason string) []byte {
	return Frame(OpClose, slices.Concat([]byte{byte(code >> 8), byte(code)}, []byte(reason)))
}
