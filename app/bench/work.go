//go:build linux

package main

import (
	"errors"
	"fmt"
	"time"
)

// work is what a run asks of a server. Clients follow rooms: the first client the
// first `follow` rooms, the next one those after them, and round again.
type work struct {
	Clients   int           `json:"clients"`
	Rooms     int           `json:"rooms"`
	Follow    int           `json:"follow"`    // rooms that each client follows
	Rate      int           `json:"rate"`      // messages a second, in all rooms together
	Size      int           `json:"size"`      // bytes of a message's text
	Lasts     time.Duration `json:"lasts"`     // how long is measured
	Warm      time.Duration `json:"warm"`      // how long the work goes on before that
	Settle    time.Duration `json:"settle"`    // how long the server is left alone when all have joined
	Transport string        `json:"transport"` // websocket or sse
	Guests    int           `json:"guests"`    // different people that the clients are
	Missed    int           `json:"missed"`    // entries that clients have missed when they resume
	Entries   int           `json:"entries"`   // of the room that is joined
	Deflate   bool          `json:"deflate"`   // clients ask for long batches compressed, as browsers do

	oneSource bool // the server makes the messages itself
}

// The transports.
const (
	webSocket = "websocket"
	sse       = "sse"
)

// sourceRate is how much one source says a second at most: it waits in the server
// for one message to be stored before its next is looked at.
const (
	sourceRate  = 50
	sourcesMost = 64
	// sizeMost is what a frame may hold with a length of 16 bits, about.
	sizeMost = 60_000
)

func (w work) check() error {
	switch {
	case w.Clients < 1 || w.Rooms < 1 || w.Follow < 1 || w.Rate < 0 || w.Lasts <= 0 || w.Warm < 0:
		return errors.New("clients, rooms, follow and seconds are at least 1, rates and warming up at least 0")
	case w.Follow > w.Rooms:
		return fmt.Errorf("nobody can follow %d of %d rooms", w.Follow, w.Rooms)
	case w.Clients*w.Follow < w.Rooms:
		return fmt.Errorf("%d clients that follow %d rooms each leave some of %d rooms without anybody", w.Clients, w.Follow, w.Rooms)
	case w.Size < markerSize || w.Size > sizeMost:
		return fmt.Errorf("a message has %d to %d bytes", markerSize, sizeMost)
	case w.Rooms*w.sources() >= 1_000_000:
		return errors.New("too many rooms")
	case w.Transport != webSocket && w.Transport != sse:
		return fmt.Errorf("there is no transport %q", w.Transport)
	}
	return nil
}

// sources is how many clients speak in each room.
func (w work) sources() int {
	if w.oneSource {
		return 1
	}
	most := min(sourcesMost, w.Clients*w.Follow/w.Rooms)
	return max(1, min(most, w.Rate/w.Rooms/sourceRate))
}

// streams is how many sequences of messages there are: see marker.
func (w work) streams() int { return w.Rooms * w.sources() }

// firstRoom is the first of the rooms that the client follows.
func (w work) firstRoom(client int) int { return client * w.Follow % w.Rooms }

// rooms are those that the client follows.
func (w work) rooms(client int) []int {
	rooms := make([]int, w.Follow)
	for i := range rooms {
		rooms[i] = (w.firstRoom(client) + i) % w.Rooms
	}
	return rooms
}

// slot is where a client that follows from the first room on counts the stream,
// negative if it does not follow its room.
func (w work) slot(first int, stream int64) int {
	source, room := int(stream)/w.Rooms, int(stream)%w.Rooms
	if room -= first; room < 0 {
		room += w.Rooms
	}
	if room >= w.Follow || source >= w.sources() {
		return -1
	}
	return source*w.Follow + room
}

// speaker is the client that says what the stream has.
func (w work) speaker(stream int) int {
	source, room := stream/w.Rooms, stream%w.Rooms
	// Those who follow the room are, in turns through all rooms, a client each.
	place := source*w.Rooms + room
	return place / w.Follow % w.Clients
}

// readers is how many clients get each message.
func (w work) readers() []int {
	count := make([]int, w.Rooms)
	for client := range w.Clients {
		for _, room := range w.rooms(client) {
			count[room]++
		}
	}
	return count
}

// messages is how many are sent, warming up included.
func (w work) messages() int {
	return int(float64(w.Rate) * (w.Lasts + w.Warm).Seconds())
}

// after is when the message is due, counted from the first, 0.
func (w work) after(message int) time.Duration {
	return time.Duration(float64(message) / float64(w.Rate) * float64(time.Second))
}
