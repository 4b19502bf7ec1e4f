//go:build linux

package load

import (
	"errors"
	"fmt"
	"time"

	"burble/app/bench/wire"
)

// Workload describes the load of a run. Rooms are dealt to clients in turn: the first client
// follows the first Follow rooms, the next client the rooms after them, and so on, starting
// again at the first room.
type Workload struct {
	Clients   int           `json:"clients"`
	Rooms     int           `json:"rooms"`
	Follow    int           `json:"follow"`    // rooms that each client follows
	Rate      int           `json:"rate"`      // messages per second, in all rooms together
	Size      int           `json:"size"`      // bytes of a message's text
	Duration  time.Duration `json:"lasts"`     // how long is measured
	Warmup    time.Duration `json:"warm"`      // how long messages are sent before that
	Settle    time.Duration `json:"settle"`    // how long the server is left alone once all have joined
	Transport string        `json:"transport"` // websocket or sse
	Users     int           `json:"guests"`    // users among whom the clients are divided
	Missed    int           `json:"missed"`    // entries missed by a client that resumes
	Entries   int           `json:"entries"`   // of the room that is joined
	Deflate   bool          `json:"deflate"`   // clients ask for compressed batches, as browsers do

	SingleSender bool `json:"-"` // the server makes the messages itself
}

// The transports.
const (
	WebSocket = "websocket"
	SSE       = "sse"
)

const (
	// senderRate is the most one sender sends per second. A server stores one message of a
	// connection before it looks at the next, so a higher rate would measure that wait.
	senderRate = 50
	maxSenders = 64 // in each room
	// maxSize keeps a message within a WebSocket frame with a 16-bit length.
	maxSize = 60_000
)

// Check returns an error that names the flag if a client, a room or a server cannot do this.
func (w Workload) Check() error {
	switch {
	case w.Clients < 1 || w.Rooms < 1 || w.Follow < 1 || w.Rate < 0 || w.Duration <= 0 || w.Warmup < 0:
		return errors.New("-clients, -rooms, -follow and -for must be positive, -rate and -warm must not be negative")
	case w.Follow > w.Rooms:
		return fmt.Errorf("a client cannot follow %d of %d rooms", w.Follow, w.Rooms)
	case w.Clients*w.Follow < w.Rooms:
		return fmt.Errorf("%d clients that follow %d rooms each do not cover %d rooms", w.Clients, w.Follow, w.Rooms)
	case w.Size < wire.MarkerSize || w.Size > maxSize:
		return fmt.Errorf("-size must be %d to %d bytes", wire.MarkerSize, maxSize)
	case w.Rooms*w.senders() >= 1_000_000:
		return errors.New("too many rooms")
	case w.Transport != WebSocket && w.Transport != SSE:
		return fmt.Errorf("unknown transport %q: want %s or %s", w.Transport, WebSocket, SSE)
	}
	return nil
}

// senders returns how many clients send in each room.
func (w Workload) senders() int {
	if w.SingleSender {
		return 1
	}
	most := min(maxSenders, w.Clients*w.Follow/w.Rooms)
	return max(1, min(most, w.Rate/w.Rooms/senderRate))
}

// Sequences returns the number of message sequences: one for each sender in each room.
func (w Workload) Sequences() int { return w.Rooms * w.senders() }

// firstRoom returns the first of the rooms that a client follows.
func (w Workload) firstRoom(client int) int { return client * w.Follow % w.Rooms }

// rooms returns the rooms that a client follows.
func (w Workload) rooms(client int) []int {
	rooms := make([]int, w.Follow)
	for i := range rooms {
		rooms[i] = (w.firstRoom(client) + i) % w.Rooms
	}
	return rooms
}

// slot returns the index under which a client counts a sequence, if first is the first room it
// follows. It is negative if the client does not follow the room of the sequence.
func (w Workload) slot(first int, sequence int64) int {
	sender, room := int(sequence)/w.Rooms, int(sequence)%w.Rooms
	if room -= first; room < 0 {
		room += w.Rooms
	}
	if room >= w.Follow || sender >= w.senders() {
		return -1
	}
	return sender*w.Follow + room
}

// sendingClient returns the client that sends a sequence. It follows the room of the sequence.
func (w Workload) sendingClient(sequence int) int {
	sender, room := sequence/w.Rooms, sequence%w.Rooms
	// Going round and round through all rooms, each client takes the next Follow places.
	place := sender*w.Rooms + room
	return place / w.Follow % w.Clients
}

// receivers returns, for each room, how many clients receive its messages.
func (w Workload) receivers() []int {
	count := make([]int, w.Rooms)
	for client := range w.Clients {
		for _, room := range w.rooms(client) {
			count[room]++
		}
	}
	return count
}

// Messages returns how many messages are sent, warm-up included.
func (w Workload) Messages() int {
	return int(float64(w.Rate) * (w.Duration + w.Warmup).Seconds())
}

// SendTime returns when a message is due, after the first, which has number 0.
func (w Workload) SendTime(message int) time.Duration {
	return time.Duration(float64(message) / float64(w.Rate) * float64(time.Second))
}
