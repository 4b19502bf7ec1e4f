//go:build linux

package load

import (
	"bytes"
	"strings"

	"burble/app/bench/wire"
)

// keyTemplate is replaced by the key of each message.
const keyTemplate = "00000000-0000-4000-8000-000000000000"

// sender sends the messages of one sequence. It reuses one frame, and replaces the marker and the
// key.
type sender struct {
	client   *client
	sequence int64
	number   int64
	frame    []byte
	marker   []byte // within frame
	key      []byte // the last part of the key within frame; nil if the protocol has no keys
}

// newSender returns the sender of a sequence. Its keys contain run, so that no two runs use the same
// keys.
func newSender(p *Protocol, c *client, sequence, room, size, run int) *sender {
	text := strings.Repeat("#", wire.MarkerSize) + strings.Repeat("x", size-wire.MarkerSize)
	frame, at := wire.ClientFrame(wire.OpText, []byte(p.Message(room, text, keyTemplate)))
	s := &sender{client: c, sequence: int64(sequence), frame: frame}
	payload := frame[at:]
	s.marker = payload[bytes.IndexByte(payload, '#'):]
	if key := bytes.Index(payload, []byte(keyTemplate)); key >= 0 {
		wire.PutDigits(payload[key:key+8], int64(sequence))
		wire.PutDigits(payload[key+9:key+13], int64(run%10_000))
		s.key = payload[key+24 : key+36]
	}
	return s
}

// send sends the next message.
func (s *sender) send(micros int64) error {
	s.number++
	wire.PutMarker(s.marker, wire.Marker{Sequence: s.sequence, Number: s.number, Micros: micros})
	if s.key != nil {
		wire.PutDigits(s.key, s.number)
	}
	return s.client.write(s.frame)
}
