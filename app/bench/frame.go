//go:build linux

package main

import "encoding/binary"

// WebSocket frame opcodes, RFC 6455 section 5.2.
const (
	opText   = 1
	opBinary = 2
	opClose  = 8
	opPing   = 9
	opPong   = 10
)

// header is the header of a frame from the server, which masks nothing.
type header struct {
	opcode byte
	length int // of the payload
	size   int // of the header itself
}

// readHeader reads a frame's header; not ok is that it is not all there yet.
func readHeader(src []byte) (h header, ok bool) {
	if len(src) < 2 {
		return h, false
	}
	h = header{opcode: src[0] & 15, length: int(src[1] & 127), size: 2}
	switch h.length {
	case 126:
		if h.size = 4; len(src) >= 4 {
			h.length = int(binary.BigEndian.Uint16(src[2:]))
		}
	case 127:
		if h.size = 10; len(src) >= 10 {
			h.length = int(binary.BigEndian.Uint64(src[2:]))
		}
	}
	return h, len(src) >= h.size
}

// clientFrame makes a frame from a client. Its mask is four zeros, so that the
// payload may be changed in place; it starts at the second return.
func clientFrame(opcode byte, payload []byte) (frame []byte, at int) {
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
