//go:build linux

package main

import (
	"bytes"
	"fmt"
	"strings"
)

// protocol is how one sort of server is spoken to, in as far as a load generator
// needs it. Messages are recognised by their markers alone.
type protocol struct {
	request func(client, room int) string           // the HTTP request that opens a connection, without the end of its head
	follow  func(rooms []int) [][]byte              // what a client says then
	joined  string                                  // is in a frame for each room that is followed then
	endless bool                                    // the answer has no frames, and no end
	refused string                                  // is in the front of a frame that says no
	message func(room int, text, key string) string // what a source sends; nil: the server makes the messages itself
}

// upgrade is the request for a WebSocket, RFC 6455 section 4.1.
func upgrade(path string, headers ...string) string {
	lines := append([]string{
		"GET " + path + " HTTP/1.1", "Host: localhost", "Connection: Upgrade", "Upgrade: websocket",
		"Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
	}, headers...)
	return strings.Join(lines, "\r\n")
}

// roomName is what a room is called.
func roomName(room int) string { return fmt.Sprintf("bench-%d", room) }

// noKey stands where a message's key is filled in.
const noKey = "00000000-0000-4000-8000-000000000000"

// source says one stream's messages: the same frame again and again, with its
// marker and key filled in.
type source struct {
	speaker *client
	stream  int64
	number  int64
	frame   []byte
	marker  []byte // within frame
	key     []byte // its last part; nil: there is none
}

func newSource(p *protocol, speaker *client, stream, room, size, run int) *source {
	text := strings.Repeat("#", markerSize) + strings.Repeat("x", size-markerSize)
	frame, at := clientFrame(opText, []byte(p.message(room, text, noKey)))
	s := &source{speaker: speaker, stream: int64(stream), frame: frame}
	payload := frame[at:]
	s.marker = payload[bytes.IndexByte(payload, '#'):]
	if key := bytes.Index(payload, []byte(noKey)); key >= 0 {
		putDigits(payload[key:key+8], int64(stream))
		putDigits(payload[key+9:key+13], int64(run%10_000))
		s.key = payload[key+24 : key+36]
	}
	return s
}

// say sends the stream's next message.
func (s *source) say(micros int64) error {
	s.number++
	putMarker(s.marker, marker{s.stream, s.number, micros})
	if s.key != nil {
		putDigits(s.key, s.number)
	}
	return s.speaker.write(s.frame)
}
