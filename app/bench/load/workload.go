//go:build linux

package load

import (
	"errors"
	"fmt"
	"time"

	"burble/app/bench/wire"
)

// Workload describes the load of a run. The first client follows the first Follow rooms, the next
// client follows the next Follow rooms, and so on. After the last room, the first one comes again.
type Workload struct {
	Clients   int           `json:"clients"`
	Rooms     int           `json:"rooms"`
	Follow    int           `json:"follow"`    // number of rooms that each client follows
	Rate      int           `json:"rate"`      // messages per second, in all rooms together
	Size      int           `json:"size"`      // bytes of a message's text
	Duration  time.Duration `json:"lasts"`     // how long to measure
	Warmup    time.Duration `json:"warm"`      // how long to send messages before measuring
	Settle    time.Duration `json:"settle"`    // idle time after all clients have joined
	Transport string        `json:"transport"` // websocket or sse
	Users     int           `json:"guests"`    // number of users that the clients share
	Missed    int           `json:"missed"`    // number of entries that a resuming client has missed
	Entries   int           `json:"entries"`   // number of entries in the room to join
	Deflate   bool          `json:"deflate"`   // clients request compressed batches, as browsers do

	Private bool `json:"private"` // the rooms are private, and the users have accounts

	ServerSends bool `json:"-"` // the server generates the messages
}

// The transports.
const (
	WebSocket = "websocket"
	SSE       = "sse"
)

const (
	// senderRate is the maximum rate of one sender, in messages per second. A server stores each
	// message from a connection before it reads the next one, and at a higher rate, the latency would
	// include that wait.
	senderRate = 50
	maxSenders = 64 // per room
	// maxSize keeps a message within a WebSocket frame with a 16-bit length.
	maxSize = 60_000
)

// Check returns an error if the workload is impossible.
func (w Workload) Check() error {
	switch {
	case w.Clients < 1 || w.Rooms < 1 || w.Follow < 1 || w.Rate < 0 || w.Duration <= 0 || w.Warmup < 0:
		return errors.New("-clients, -rooms, -follow and -for must be positive, -rate and -warm must not be negative")
	case w.Follow > w.Rooms:
		return fmt.Errorf("a client cannot follow %d of %d rooms", w.Follow, w.Rooms)
	case w.Clients*w.Follow < w.Rooms:
		return fmt.Errorf("%d clients that follow %d rooms each cannot follow all %d rooms", w.Clients, w.Follow, w.Rooms)
	case w.Size < wire.MarkerSize || w.Size > maxSize:
		return fmt.Errorf("-size must be %d to %d bytes", wire.MarkerSize, maxSize)
	case w.Rooms*w.senders() >= 1_000_000:
		return errors.New("too many rooms")
	case w.Transport != WebSocket && w.Transport != SSE:
		return fmt.Errorf("unknown transport %q: want %s or %s", w.Transport, WebSocket, SSE)
	}
	return nil
}

// senders returns the number of clients that send to each room.
func (w Workload) senders() int {
	if w.ServerSends {
		return 1
	}
	maxPerRoom := min(maxSenders, w.Clients*w.Follow/w.Rooms)
	return max(1, min(maxPerRoom, w.Rate/w.Rooms/senderRate))
}

// Sequences returns the number of message sequences. Each sender in each room has one.
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

// slot returns the index of a sequence in client.numbers, for a client whose first room is first.
// It is negative if the client does not follow the room of the sequence.
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

// sendingClient returns the index of the client that sends a sequence. That client follows the room
// of the sequence.
func (w Workload) sendingClient(sequence int) int {
	sender, room := sequence/w.Rooms, sequence%w.Rooms
	// Client c follows the rooms of places c*Follow to c*Follow+Follow-1, and place p is in room p%Rooms.
	// In each round of Rooms places, every room has one place. Sender s of a room has its place in round s.
	place := sender*w.Rooms + room
	return place / w.Follow % w.Clients
}

// receivers returns the number of clients that follow each room.
func (w Workload) receivers() []int {
	count := make([]int, w.Rooms)
	for client := range w.Clients {
		for _, room := range w.rooms(client) {
			count[room]++
		}
	}
	return count
}

// Messages returns the number of messages to send, including the warm-up.
func (w Workload) Messages() int {
	return int(float64(w.Rate) * (w.Duration + w.Warmup).Seconds())
}

// SendTime returns when to send a message, relative to the first one. The first message is 0.
func (w Workload) SendTime(message int) time.Duration {
	return time.Duration(float64(message) / float64(w.Rate) * float64(time.Second))
}
