//go:build linux

package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// aReader reads one client, which follows room 0 and counts everything from now on.
func aReader(w work) (*reader, *client) {
	s := newSwarm(0, &protocol{refused: `{"type":"error"`}, w, 1)
	s.follows = 0
	s.since.Store(0)
	s.clients[0].state = open
	return &reader{swarm: s, buffer: make([]byte, headroom+readAtOnce), now: 1000}, s.clients[0]
}

// give has the reader read the bytes, cut into pieces of that size.
func (r *reader) give(c *client, text []byte, piece int) {
	for len(text) > 0 {
		n := copy(r.buffer[headroom:headroom+piece], text)
		text = text[n:]
		r.feed(c, n)
	}
}

// messageFrame is a frame with a batch of messages: their numbers.
func messageFrame(stream int64, numbers ...int64) []byte {
	var text strings.Builder
	text.WriteString(`{"type":"entries","entries":[`)
	for _, number := range numbers {
		var at [markerSize]byte
		putMarker(at[:], marker{stream, number, 500})
		fmt.Fprintf(&text, `{"text":"%s%s"},`, at, strings.Repeat("x", int(number)*50))
	}
	return serverFrame([]byte(text.String()))
}

func TestReaderNoticesWhatIsNotInOrder(t *testing.T) {
	for _, test := range []struct {
		name           string
		numbers        []int64
		skipped, again int64
	}{
		{"all is well", []int64{1, 2, 3, 4}, 0, 0},
		{"one is lost", []int64{1, 2, 4, 5}, 1, 0},
		{"the first is lost", []int64{2, 3, 4, 5}, 1, 0},
		{"three are lost", []int64{1, 5, 6, 7}, 3, 0},
		{"one comes twice", []int64{1, 2, 2, 3}, 0, 1},
		{"all come twice", []int64{1, 2, 1, 2}, 0, 2},
		{"two are swapped", []int64{1, 3, 2, 4}, 1, 1},
	} {
		for piece := 1; piece <= 300; piece = piece*3/2 + 1 {
			r, c := aReader(work{Clients: 1, Rooms: 1, Follow: 1})
			r.give(c, messageFrame(0, test.numbers[:2]...), piece)
			r.give(c, messageFrame(0, test.numbers[2:]...), piece)
			if r.Skipped != test.skipped || r.Again != test.again || r.Stray != 0 || r.Frames != 2 {
				t.Errorf("%s, in pieces of %d: %+v", test.name, piece, r.tally.Skipped)
			}
			if r.latency.count != 4-test.again || r.latency.max().Microseconds() != 500 {
				t.Errorf("%s, in pieces of %d: %d took %v at most", test.name, piece, r.latency.count, r.latency.max())
			}
		}
	}
}

func TestReaderKnowsTheRoomsOfItsClient(t *testing.T) {
	w := work{Clients: 10, Rooms: 10, Follow: 3, Rate: 1000}
	if w.sources() != 2 || w.streams() != 20 {
		t.Fatalf("%d sources, %d streams", w.sources(), w.streams())
	}
	r, c := aReader(w)
	c.first = 9 // and 0, and 1
	for _, stream := range []int64{9, 0, 1, 19, 10, 11} {
		r.give(c, messageFrame(stream, 1, 2), 100)
	}
	if r.Stray+r.Skipped+r.Again != 0 || c.got != 12 {
		t.Errorf("%d messages; %+v", c.got, r.Stray)
	}
	for _, stream := range []int64{2, 8, 12, 20, 999} {
		r.give(c, messageFrame(stream, 1), 100)
	}
	if r.Stray != 5 || c.got != 12 {
		t.Errorf("%d of 5 messages of other rooms were noticed", r.Stray)
	}
}

func TestReaderReadsFramesOfEverySize(t *testing.T) {
	r, c := aReader(work{Clients: 1, Rooms: 1, Follow: 1})
	var all []byte
	frames, number := 0, int64(0)
	for range 200 {
		var batch []int64
		for range rand.IntN(4) { // up to some tens of kilobytes, or without any
			number++
			batch = append(batch, number)
		}
		all = append(all, messageFrame(0, batch...)...)
		all = append(all, serverFrame([]byte(`{"type":"error","code":"full"}`))...)
		frames += 2
	}
	r.give(c, all, 7777)
	if int64(c.got) != number || r.Frames != int64(frames) || r.Refused != int64(frames)/2 || r.Skipped+r.Again != 0 {
		t.Errorf("%d of %d messages, %d of %d frames, %d refused", c.got, number, r.Frames, frames, r.Refused)
	}
	if r.Said != `{"type":"error","code":"full"}` {
		t.Errorf("it kept %q", r.Said)
	}
}

func TestEveryStreamHasASpeakerWhoFollowsItsRoom(t *testing.T) {
	for _, w := range []work{
		{Clients: 500, Rooms: 1, Follow: 1, Rate: 4000},
		{Clients: 500, Rooms: 50, Follow: 1, Rate: 10_000},
		{Clients: 2000, Rooms: 10_000, Follow: 10, Rate: 1000},
		{Clients: 7, Rooms: 5, Follow: 3, Rate: 1000},
	} {
		for stream := range w.streams() {
			if slot := w.slot(w.firstRoom(w.speaker(stream)), int64(stream)); slot < 0 {
				t.Errorf("%+v: client %d says what it does not follow", w, w.speaker(stream))
			}
		}
		sum := 0
		for _, count := range w.readers() {
			sum += count
		}
		if sum != w.Clients*w.Follow {
			t.Errorf("%+v: %d readers", w, sum)
		}
	}
}
