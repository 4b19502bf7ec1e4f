//go:build linux

package main

import (
	"bytes"
	"encoding/binary"
)

// A marker is what every measured message carries in its text: its sequence, its number in
// the sequence, from 1 on, and the time it was sent, in microseconds since 1970. It has a
// fixed width, so that a receiver finds it without parsing the frame:
//
//	#00000007.00000042.1732281600000000#
//
// A sequence is the messages of one sender in one room. Servers promise an order within
// each, and none between the senders of a room.
const (
	fieldDigits = 8 // of sequence and number; the time has twice as many
	markerSize  = 4*fieldDigits + 4

	sequenceAt = 1
	numberAt   = sequenceAt + fieldDigits + 1
	timeAt     = numberAt + fieldDigits + 1
)

type marker struct {
	sequence, number, micros int64
}

// putMarker writes a marker over the first markerSize bytes of dst.
func putMarker(dst []byte, m marker) {
	_ = dst[markerSize-1]
	dst[0], dst[numberAt-1], dst[timeAt-1], dst[markerSize-1] = '#', '.', '.', '#'
	putDigits(dst[sequenceAt:numberAt-1], m.sequence)
	putDigits(dst[numberAt:timeAt-1], m.number)
	putDigits(dst[timeAt:markerSize-1], m.micros)
}

// readMarker reads the marker at the start of src.
func readMarker(src []byte) (m marker, ok bool) {
	if len(src) < markerSize || src[0] != '#' || src[numberAt-1] != '.' || src[timeAt-1] != '.' || src[markerSize-1] != '#' {
		return m, false
	}
	sequence, bad1 := parseDigits(src[sequenceAt:])
	number, bad2 := parseDigits(src[numberAt:])
	high, bad3 := parseDigits(src[timeAt:])
	low, bad4 := parseDigits(src[timeAt+fieldDigits:])
	return marker{sequence, number, high*100_000_000 + low}, bad1|bad2|bad3|bad4 == 0
}

// scanMarkers calls found for each marker in data. It returns how many bytes at the end may
// be the beginning of another.
func scanMarkers(data []byte, found func(marker)) (rest int) {
	for {
		at := bytes.IndexByte(data, '#')
		if at < 0 {
			return 0
		}
		data = data[at:]
		if len(data) < markerSize {
			return len(data)
		}
		m, ok := readMarker(data)
		if !ok {
			data = data[1:]
			continue
		}
		found(m)
		data = data[markerSize:]
	}
}

func putDigits(dst []byte, n int64) {
	for i := len(dst) - 1; i >= 0; i-- {
		dst[i] = byte('0' + n%10)
		n /= 10
	}
}

// parseDigits parses eight digits at once: it joins neighbours, then pairs, then fours. bad is
// not 0 if one of them is not a digit.
func parseDigits(src []byte) (n int64, bad uint64) {
	x := binary.LittleEndian.Uint64(src)
	bad = ((x + 0x4646464646464646) | (x - 0x3030303030303030)) & 0x8080808080808080
	x = x & 0x0f0f0f0f0f0f0f0f * (10<<8 + 1) >> 8
	x = x & 0x00ff00ff00ff00ff * (100<<16 + 1) >> 16
	x = x & 0x0000ffff0000ffff * (10_000<<32 + 1) >> 32
	return int64(x), bad
}
