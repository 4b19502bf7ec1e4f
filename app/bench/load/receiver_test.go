//go:build linux

package load

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"burble/app/bench/wire"
)

// newReceiver returns a receiver without a network, and its only client. The client follows the
// first rooms, and all its messages are measured.
func newReceiver(w Workload) (*receiver, *client) {
	s := NewSwarm(0, &Protocol{ErrorText: `{"type":"error"`}, w, 1)
	s.follows = 0
	s.measureFrom.Store(0)
	s.clients[0].state = open
	return &receiver{swarm: s, buffer: make([]byte, headroom+readSize), now: 1000}, s.clients[0]
}

// receive passes data to the receiver in pieces of the given size.
func (r *receiver) receive(c *client, data []byte, piece int) {
	for len(data) > 0 {
		n := copy(r.buffer[headroom:headroom+piece], data)
		data = data[n:]
		r.process(c, n)
	}
}

// messageFrame returns a frame with a batch of messages from one sequence.
func messageFrame(sequence int64, numbers ...int64) []byte {
	var text strings.Builder
	text.WriteString(`{"type":"entries","entries":[`)
	for _, number := range numbers {
		var at [wire.MarkerSize]byte
		wire.PutMarker(at[:], wire.Marker{Sequence: sequence, Number: number, Micros: 500})
		fmt.Fprintf(&text, `{"text":"%s%s"},`, at, strings.Repeat("x", int(number)*50))
	}
	return wire.ServerFrame([]byte(text.String()))
}

func TestReceiverDetectsLossAndReordering(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name              string
		numbers           []int64
		skipped, repeated int64
	}{
		{"all in order", []int64{1, 2, 3, 4}, 0, 0},
		{"one lost", []int64{1, 2, 4, 5}, 1, 0},
		{"the first lost", []int64{2, 3, 4, 5}, 1, 0},
		{"three lost", []int64{1, 5, 6, 7}, 3, 0},
		{"one repeated", []int64{1, 2, 2, 3}, 0, 1},
		{"all repeated", []int64{1, 2, 1, 2}, 0, 2},
		{"two swapped", []int64{1, 3, 2, 4}, 1, 1},
	} {
		for piece := 1; piece <= 300; piece = piece*3/2 + 1 {
			r, c := newReceiver(Workload{Clients: 1, Rooms: 1, Follow: 1})
			r.receive(c, messageFrame(0, test.numbers[:2]...), piece)
			r.receive(c, messageFrame(0, test.numbers[2:]...), piece)
			if r.Skipped != test.skipped || r.Repeated != test.repeated || r.WrongRoom != 0 || r.Frames != 2 {
				t.Errorf("%s, in pieces of %d: %d skipped, %d repeated, %d of the wrong room, %d frames; want %d, %d, 0 and 2",
					test.name, piece, r.Skipped, r.Repeated, r.WrongRoom, r.Frames, test.skipped, test.repeated)
			}
			if r.latency.count != 4-test.repeated || r.latency.max().Microseconds() != 500 {
				t.Errorf("%s, in pieces of %d: %d measured, longest %v; want %d and 500µs", test.name, piece, r.latency.count, r.latency.max(), 4-test.repeated)
			}
		}
	}
}

func TestReceiverDetectsMessagesFromOtherRooms(t *testing.T) {
	t.Parallel()
	w := Workload{Clients: 10, Rooms: 10, Follow: 3, Rate: 1000}
	if w.senders() != 2 || w.Sequences() != 20 {
		t.Fatalf("%d senders, %d sequences; want 2 and 20", w.senders(), w.Sequences())
	}
	r, c := newReceiver(w)
	c.firstRoom = 9 // follows rooms 9, 0 and 1
	for _, sequence := range []int64{9, 0, 1, 19, 10, 11} {
		r.receive(c, messageFrame(sequence, 1, 2), 100)
	}
	if r.WrongRoom+r.Skipped+r.Repeated != 0 || c.received != 12 {
		t.Errorf("%d messages of followed rooms, want 12; %d of the wrong room, %d skipped, %d repeated", c.received, r.WrongRoom, r.Skipped, r.Repeated)
	}
	for _, sequence := range []int64{2, 8, 12, 20, 999} {
		r.receive(c, messageFrame(sequence, 1), 100)
	}
	if r.WrongRoom != 5 || c.received != 12 {
		t.Errorf("%d messages of other rooms and %d of followed rooms, want 5 and 12", r.WrongRoom, c.received)
	}
}

func TestReceiverParsesFramesOfAllSizes(t *testing.T) {
	t.Parallel()
	r, c := newReceiver(Workload{Clients: 1, Rooms: 1, Follow: 1})
	var all []byte
	frames, number := 0, int64(0)
	for range 200 {
		var batch []int64
		for range rand.IntN(4) { // from empty to tens of kilobytes
			number++
			batch = append(batch, number)
		}
		all = append(all, messageFrame(0, batch...)...)
		all = append(all, wire.ServerFrame([]byte(`{"type":"error","code":"full"}`))...)
		frames += 2
	}
	r.receive(c, all, 7777)
	if int64(c.received) != number || r.Frames != int64(frames) || r.Refused != int64(frames)/2 || r.Skipped+r.Repeated != 0 {
		t.Errorf("%d of %d messages, %d of %d frames, %d refused; want all, and half of the frames refused", c.received, number, r.Frames, frames, r.Refused)
	}
	if r.FirstError != `{"type":"error","code":"full"}` {
		t.Errorf("the first error is %q, want full", r.FirstError)
	}
}

func TestSendersFollowTheirRooms(t *testing.T) {
	t.Parallel()
	for _, w := range []Workload{
		{Clients: 500, Rooms: 1, Follow: 1, Rate: 4000},
		{Clients: 500, Rooms: 50, Follow: 1, Rate: 10_000},
		{Clients: 2000, Rooms: 10_000, Follow: 10, Rate: 1000},
		{Clients: 7, Rooms: 5, Follow: 3, Rate: 1000},
	} {
		for sequence := range w.Sequences() {
			if slot := w.slot(w.firstRoom(w.sendingClient(sequence)), int64(sequence)); slot < 0 {
				t.Errorf("%+v: client %d does not follow the room of sequence %d", w, w.sendingClient(sequence), sequence)
			}
		}
		sum := 0
		for _, count := range w.receivers() {
			sum += count
		}
		if sum != w.Clients*w.Follow {
			t.Errorf("%+v: %d receivers, want %d", w, sum, w.Clients*w.Follow)
		}
	}
}
