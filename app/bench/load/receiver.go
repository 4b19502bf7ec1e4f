//go:build linux

package load

import (
	"errors"
	"sync/atomic"
	"syscall"
	"time"

	"burble/app/bench/wire"
)

const (
	// readSize is the maximum number of bytes in one read from a connection.
	readSize = 256 << 10
	// headroom is the space in the buffer before those bytes, for the unread bytes of the last read.
	headroom = 8 << 10
)

// receiver is a goroutine that reads many connections with one epoll and one buffer. It
// checks that each client receives the messages of each sequence in order. It looks for
// markers and parses nothing else, so that the bench leaves the CPU to the server.
type receiver struct {
	swarm    *Swarm
	epoll    int
	buffer   []byte
	now      int64         // microseconds since 1970, at the last read
	packed   []byte        // the last compressed frame; many clients receive the same one
	unpacked []wire.Marker // the markers in packed

	Counts
	messages atomic.Int64 // number of messages received; other goroutines may read it
}

// Counts are the counters of one receiver, or their sums.
type Counts struct {
	Frames     int64  `json:"frames"`
	Bytes      int64  `json:"bytes"`
	Skipped    int64  `json:"skipped"`               // skipped numbers: messages lost or out of order
	Repeated   int64  `json:"repeated"`              // numbers not above an earlier one: duplicates or out of order
	WrongRoom  int64  `json:"wrong_room"`            // messages from rooms that the client does not follow
	Refused    int64  `json:"refused"`               // error frames
	Closed     int64  `json:"closed"`                // connections closed by the server
	FirstError string `json:"first_error,omitempty"` // the first error frame or close reason

	latency Histogram // of the measured messages
	lastAt  int64     // when the last measured message arrived, in microseconds since 1970
	slowest []int64   // latency at the last client to receive a message, by message number; empty if not measured
}

func (c *Counts) add(other *Counts) {
	c.Frames += other.Frames
	c.Bytes += other.Bytes
	c.Skipped += other.Skipped
	c.Repeated += other.Repeated
	c.WrongRoom += other.WrongRoom
	c.Refused += other.Refused
	c.Closed += other.Closed
	if c.FirstError == "" {
		c.FirstError = other.FirstError
	}
	c.latency.merge(&other.latency)
	c.lastAt = max(c.lastAt, other.lastAt)
	if c.slowest == nil {
		c.slowest = make([]int64, len(other.slowest))
	}
	for i, micros := range other.slowest {
		c.slowest[i] = max(c.slowest[i], micros)
	}
}

// run reads until the swarm stops.
func (r *receiver) run() {
	events := make([]syscall.EpollEvent, 256)
	for !r.swarm.stopped.Load() {
		n, err := syscall.EpollWait(r.epoll, events, 50)
		if err != nil && !errors.Is(err, syscall.EINTR) {
			return
		}
		r.swarm.dialed.Load() // makes earlier writes to the clients visible here
		for _, event := range events[:max(n, 0)] {
			c := r.swarm.clients[event.Fd]
			if c.state == connecting {
				r.finishConnect(c)
			} else {
				r.read(c)
			}
		}
	}
}

// watch sets the events that epoll reports for a client. An event contains the client's index.
func (r *receiver) watch(c *client, operation int, events uint32) error {
	return syscall.EpollCtl(r.epoll, operation, c.fd, &syscall.EpollEvent{Events: events, Fd: int32(c.index)})
}

// finishConnect sends the HTTP request of a client whose connection is established.
func (r *receiver) finishConnect(c *client) {
	code, err := syscall.GetsockoptInt(c.fd, syscall.SOL_SOCKET, syscall.SO_ERROR)
	if err == nil && code == 0 {
		c.state = upgrading
		r.watch(c, syscall.EPOLL_CTL_MOD, syscall.EPOLLIN)
		err = c.write([]byte(r.swarm.protocol.Request(c.index, c.firstRoom) + "\r\n\r\n"))
	}
	if err != nil || code != 0 {
		r.markClosed(c)
	}
}

func (r *receiver) read(c *client) {
	n, err := syscall.Read(c.fd, r.buffer[headroom:])
	if errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EINTR) {
		return
	}
	if n <= 0 {
		r.markClosed(c)
		return
	}
	r.now = time.Now().UnixMicro()
	r.Bytes += int64(n)
	r.process(c, n)
}

// process handles the client's unread bytes, followed by the n bytes after the headroom.
func (r *receiver) process(c *client, n int) {
	start := headroom - len(c.unread)
	copy(r.buffer[start:], c.unread)
	before := c.received
	rest := r.parse(c, r.buffer[start:headroom+n])
	if len(rest) > headroom {
		r.markClosed(c)
		return
	}
	c.unread = append(c.unread[:0], rest...)
	if c.received > before {
		r.messages.Add(int64(c.received - before))
		if before < c.goal && c.received >= c.goal {
			r.swarm.reachGoal()
		}
	}
}

func (r *receiver) markClosed(c *client) {
	if c.state != closed {
		c.state = closed
		r.Closed++
		r.watch(c, syscall.EPOLL_CTL_DEL, 0)
	}
}

func (r *receiver) countError(text string) {
	r.Refused++
	if r.FirstError == "" {
		r.FirstError = text
	}
}

// countMessage counts a message, and checks that it is the next one in its sequence.
func (r *receiver) countMessage(c *client, m wire.Marker) {
	slot := r.swarm.work.slot(c.firstRoom, m.Sequence)
	if slot < 0 || slot >= len(c.numbers) {
		r.WrongRoom++
		return
	}
	switch last := int64(c.numbers[slot]); {
	case m.Number == last+1:
	case m.Number > last:
		r.Skipped += m.Number - last - 1
	default:
		r.Repeated++
		return
	}
	c.numbers[slot] = uint32(m.Number)
	c.received++
	if m.Micros >= r.swarm.measureFrom.Load() {
		latency := r.now - m.Micros
		r.latency.Add(latency)
		r.lastAt = r.now
		if int(m.Number) < len(r.slowest) {
			r.slowest[m.Number] = max(r.slowest[m.Number], latency)
		}
	}
}
