package wire

import (
	"bytes"
	"encoding/binary"
)

// MarkerSize is the size of every marker, in bytes.
const MarkerSize = 4*fieldDigits + 4

const (
	fieldDigits = 8 // digits of sequence and number; the time has twice as many

	sequenceAt = 1
	numberAt   = sequenceAt + fieldDigits + 1
	timeAt     = numberAt + fieldDigits + 1
)

// Marker identifies a measured message, and is part of the message's text. It has a fixed width and
// delimiters, so a receiver can find it without parsing the frame:
//
//	#00000007.00000042.1732281600000000#
//
// A sequence consists of the messages that one sender sends to one room. Servers guarantee the order
// of the messages in a sequence, but not the order between different senders in a room.
type Marker struct {
	Sequence int64 // starts at 0
	Number   int64 // number of the message in its sequence; starts at 1
	Micros   int64 // time of the write, in microseconds since 1970
}

// PutMarker writes a marker over the first MarkerSize bytes of dst.
func PutMarker(dst []byte, m Marker) {
	_ = dst[MarkerSize-1]
	dst[0], dst[numberAt-1], dst[timeAt-1], dst[MarkerSize-1] = '#', '.', '.', '#'
	PutDigits(dst[sequenceAt:numberAt-1], m.Sequence)
	PutDigits(dst[numberAt:timeAt-1], m.Number)
	PutDigits(dst[timeAt:MarkerSize-1], m.Micros)
}

// readMarker reads the marker at the start of src.
func readMarker(src []byte) (m Marker, ok bool) {
	if len(src) < MarkerSize || src[0] != '#' || src[numberAt-1] != '.' || src[timeAt-1] != '.' || src[MarkerSize-1] != '#' {
		return m, false
	}
	sequence, bad1 := parseDigits(src[sequenceAt:])
	number, bad2 := parseDigits(src[numberAt:])
	high, bad3 := parseDigits(src[timeAt:])
	low, bad4 := parseDigits(src[timeAt+fieldDigits:])
	return Marker{sequence, number, high*100_000_000 + low}, bad1|bad2|bad3|bad4 == 0
}

// ScanMarkers calls found for each marker in data. rest is the number of bytes at the end that may
// be the start of another marker.
func ScanMarkers(data []byte, found func(Marker)) (rest int) {
	for {
		at := bytes.IndexByte(data, '#')
		if at < 0 {
			return 0
		}
		data = data[at:]
		if len(data) < MarkerSize {
			return len(data)
		}
		m, ok := readMarker(data)
		if !ok {
			data = data[1:]
			continue
		}
		found(m)
		data = data[MarkerSize:]
	}
}

// PutDigits fills dst with the decimal digits of n, with leading zeros.
func PutDigits(dst []byte, n int64) {
	for i := len(dst) - 1; i >= 0; i-- {
		dst[i] = byte('0' + n%10)
		n /= 10
	}
}

// parseDigits parses eight digits at once. It combines neighboring digits, then pairs, then groups of
// four. bad is nonzero if any byte is not a digit.
func parseDigits(src []byte) (n int64, bad uint64) {
	x := binary.LittleEndian.Uint64(src)
	bad = ((x + 0x4646464646464646) | (x - 0x3030303030303030)) & 0x8080808080808080
	x = x & 0x0f0f0f0f0f0f0f0f * (10<<8 + 1) >> 8
	x = x & 0x00ff00ff00ff00ff * (100<<16 + 1) >> 16
	x = x & 0x0000ffff0000ffff * (10_000<<32 + 1) >> 32
	return int64(x), bad
}
