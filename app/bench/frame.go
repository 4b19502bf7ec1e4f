//go:build linux

package main

import "encoding/binary"

// WebSocket opcodes, RFC 6455 section 5.2.
const (
	opText   = 1
	opBinary = 2
	opClose  = 8
	opPing   = 9
	opPong   = 10
)

// frameHeader is the header of a frame from the server, which is never masked.
type frameHeader struct {
	opcode byte
	length int // of the payload
	size   int // of the header itself
}

// readFrameHeader reads the header at the start of data. ok is false if it is incomplete.
func readFrameHeader(data []byte) (h frameHeader, ok bool) {
	if len(data) < 2 {
		return h, false
	}
	h = frameHeader{opcode: data[0] & 15, length: int(data[1] & 127), size: 2}
	switch h.length {
	case 126:
		if h.size = 4; len(data) >= 4 {
			h.length = int(binary.BigEndian.Uint16(data[2:]))
		}
	case 127:
		if h.size = 10; len(data) >= 10 {
			h.length = int(binary.BigEndian.Uint64(data[2:]))
		}
	}
	return h, len(data) >= h.size
}

// clientFrame returns a frame from a client, and where its payload begins. The mask is four
// zero bytes, so that the payload may be changed in place.
func clientFrame(opcode byte, payload []byte) (frame []byte, payloadAt int) {
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

// serverFrame returns a text frame from a server.
func serverFrame(payload []byte) []byte {
	frame := []byte{0x80 | opText, byte(len(payload))}
	if len(payload) > 125 {
		frame = []byte{0x80 | opText, 126, byte(len(payload) >> 8), byte(len(payload))}
	}
	return append(frame, payload...)
}
