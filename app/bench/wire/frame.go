package wire

import "encoding/binary"

// WebSocket opcodes, RFC 6455 section 5.2.
const (
	OpText   = 1
	OpBinary = 2
	OpClose  = 8
	OpPing   = 9
	OpPong   = 10
)

// Header is the header of a frame from a server. Such frames are never masked.
type Header struct {
	Opcode byte
	Length int // length of the payload
	Size   int // size of the header itself
}

// ReadHeader reads the header at the start of data. ok is false if it is incomplete.
func ReadHeader(data []byte) (h Header, ok bool) {
	if len(data) < 2 {
		return h, false
	}
	h = Header{Opcode: data[0] & 15, Length: int(data[1] & 127), Size: 2}
	switch h.Length {
	case 126:
		if h.Size = 4; len(data) >= 4 {
			h.Length = int(binary.BigEndian.Uint16(data[2:]))
		}
	case 127:
		if h.Size = 10; len(data) >= 10 {
			h.Length = int(binary.BigEndian.Uint64(data[2:]))
		}
	}
	return h, len(data) >= h.Size
}

// ClientFrame returns a frame from a client, and the offset of its payload. The mask is four zero
// bytes, so the caller may change the payload in place.
func ClientFrame(opcode byte, payload []byte) (frame []byte, payloadAt int) {
	frame = []byte{0x80 | opcode}
	switch n := len(payload); {
	case n < 126:
		frame = append(frame, 0x80|byte(n))
	default:
		frame = append(frame, 0x80|126, byte(n>>8), byte(n))
	}
	frame = append(frame, 0, 0, 0, 0)
	return append(frame, payload...), len(frame)
}

// ServerFrame returns a text frame from a server.
func ServerFrame(payload []byte) []byte {
	frame := []byte{0x80 | OpText, byte(len(payload))}
	if len(payload) > 125 {
		frame = []byte{0x80 | OpText, 126, byte(len(payload) >> 8), byte(len(payload))}
	}
	return append(frame, payload...)
}
