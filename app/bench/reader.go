//go:build linux

package main

import (
	"bytes"
	"compress/zlib"
	"errors"
	"io"
	"math"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	// readAtOnce is how much of one connection is read before it is another's turn.
	readAtOnce = 256 << 10
	// headroom is in front of it, for what was left over of the last read.
	headroom = 8 << 10
	// frontBytes of a frame are looked at, to know what it is.
	frontBytes = 32
)

// reader reads many connections: it waits for all of them at once, and has one
// buffer. It checks that each client gets each stream's messages in order, and
// looks at nothing in a frame but the markers.
type reader struct {
	swarm  *swarm
	epoll  int
	buffer []byte
	now    int64  // micros
	packed []byte // the last compressed frame: it is the same for many
	inside []marker

	tally
	messages atomic.Int64 // counted as they come, for who waits
}

// tally is what one reader, or all of them together, have counted.
type tally struct {
	Frames  int64  `json:"frames"`
	Bytes   int64  `json:"bytes"`
	Skipped int64  `json:"skipped"`        // numbers passed over: lost, or late
	Again   int64  `json:"again"`          // numbers that were there before: twice, or late
	Stray   int64  `json:"stray"`          // messages of rooms that the client does not follow
	Refused int64  `json:"refused"`        // frames that say no
	Closed  int64  `json:"closed"`         // connections that the server ended
	Said    string `json:"said,omitempty"` // the first that said no

	latency histogram // of the measured messages
	lastAt  int64     // when the last of them arrived, in micros
	slowest []int64   // latency of a message's last reader, by number; empty: not asked for
}

func (t *tally) add(other *tally) {
	t.Frames += other.Frames
	t.Bytes += other.Bytes
	t.Skipped += other.Skipped
	t.Again += other.Again
	t.Stray += other.Stray
	t.Refused += other.Refused
	t.Closed += other.Closed
	if t.Said == "" {
		t.Said = other.Said
	}
	t.latency.merge(&other.latency)
	t.lastAt = max(t.lastAt, other.lastAt)
	if t.slowest == nil {
		t.slowest = make([]int64, len(other.slowest))
	}
	for i, micros := range other.slowest {
		t.slowest[i] = max(t.slowest[i], micros)
	}
}

// run reads until the swarm ends.
func (r *reader) run() {
	events := make([]syscall.EpollEvent, 256)
	for !r.swarm.ended.Load() {
		n, err := syscall.EpollWait(r.epoll, events, 50)
		if err != nil && !errors.Is(err, syscall.EINTR) {
			return
		}
		r.swarm.dialled.Load() // orders what was done to the clients before this
		for _, event := range events[:max(n, 0)] {
			c := r.swarm.clients[event.Fd]
			if c.state == connecting {
				r.connected(c)
			} else {
				r.read(c)
			}
		}
	}
}

func (r *reader) watch(c *client, operation int, events uint32) error {
	// The event carries the client's index.
	return syscall.EpollCtl(r.epoll, operation, c.fd, &syscall.EpollEvent{Events: events, Fd: int32(c.index)})
}

func (r *reader) connected(c *client) {
	code, err := syscall.GetsockoptInt(c.fd, syscall.SOL_SOCKET, syscall.SO_ERROR)
	if err == nil && code == 0 {
		c.state = upgrading
		r.watch(c, syscall.EPOLL_CTL_MOD, syscall.EPOLLIN)
		err = c.write([]byte(r.swarm.protocol.request(c.index, c.first) + "\r\n\r\n"))
	}
	if err != nil || code != 0 {
		r.lost(c)
	}
}

func (r *reader) read(c *client) {
	n, err := syscall.Read(c.fd, r.buffer[headroom:])
	if errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EINTR) {
		return
	}
	if n <= 0 {
		r.lost(c)
		return
	}
	r.now = time.Now().UnixMicro()
	r.Bytes += int64(n)
	r.feed(c, n)
}

// feed takes the n bytes behind the headroom, and what was left over before.
func (r *reader) feed(c *client, n int) {
	start := headroom - len(c.unread)
	copy(r.buffer[start:], c.unread)
	got := c.got
	rest := r.take(c, r.buffer[start:headroom+n])
	if len(rest) > headroom {
		r.lost(c)
		return
	}
	c.unread = append(c.unread[:0], rest...)
	if c.got > got {
		r.messages.Add(int64(c.got - got))
		if got < c.goal && c.got >= c.goal {
			r.swarm.reached()
		}
	}
}

func (r *reader) lost(c *client) {
	if c.state != closed {
		c.state = closed
		r.Closed++
		r.watch(c, syscall.EPOLL_CTL_DEL, 0)
	}
}

// take takes what is whole of data and returns the rest.
func (r *reader) take(c *client, data []byte) (rest []byte) {
	if c.state == upgrading {
		head, body, whole := bytes.Cut(data, []byte("\r\n\r\n"))
		if !whole {
			return data
		}
		if !r.upgraded(c, string(head)) {
			return nil
		}
		data = body
	}
	for len(data) > 0 && c.state == open {
		if c.left == 0 {
			size, ok := r.begin(c, data)
			if !ok {
				return data
			}
			data = data[size:]
			continue
		}
		if r.swarm.protocol.endless && c.follows < r.swarm.follows {
			joined := bytes.Count(data, []byte(r.swarm.protocol.joined))
			if r.swarm.joins(c, joined); joined == 0 {
				return data
			}
		}
		body := data[:min(c.left, len(data))]
		if c.packing {
			c.left -= len(body)
			data = data[len(body):]
			if len(c.packed) > 0 || c.left > 0 {
				c.packed = append(c.packed, body...)
				body = c.packed
			}
			if c.left == 0 && !r.unpack(c, body) {
				return nil
			}
			continue
		}
		rest := scan(body, func(m marker) { r.found(c, m) })
		if len(body) == c.left {
			rest = 0 // no marker goes over a frame's end
		}
		c.left -= len(body) - rest
		data = data[len(body)-rest:]
		if rest > 0 {
			return data
		}
	}
	return nil
}

// upgraded goes on from the server's answer to the request.
func (r *reader) upgraded(c *client, head string) bool {
	status, _, _ := strings.Cut(head, "\r\n")
	switch {
	case strings.Contains(status, " 101 "):
	case strings.Contains(status, " 200 "): // an answer without an end, and without frames
		c.left = math.MaxInt
	default:
		r.refuse(status)
		r.lost(c)
		return false
	}
	c.state = open
	for _, frame := range r.swarm.opened(c) {
		if err := c.write(frame); err != nil {
			r.lost(c)
		}
	}
	return true
}

// begin reads a frame's header, and its front to know what it is. A client that
// waits to be told what it follows looks at the whole frame.
func (r *reader) begin(c *client, data []byte) (size int, ok bool) {
	h, ok := readHeader(data)
	if !ok {
		return 0, false
	}
	front := min(h.length, frontBytes)
	joining := c.follows < r.swarm.follows
	if joining {
		front = min(h.length, headroom/2)
	}
	if len(data) < h.size+front {
		return 0, false
	}
	payload := data[h.size : h.size+front]
	r.Frames++
	switch {
	case h.opcode == opPing:
		frame, _ := clientFrame(opPong, nil)
		c.write(frame)
	case h.opcode == opClose:
		r.refuse(string(payload[min(2, front):]))
	case h.opcode != opText:
	case bytes.HasPrefix(payload, []byte("{}")): // Centrifugo's ping, and its pong
		frame, _ := clientFrame(opText, payload[:2])
		c.write(frame)
	case r.swarm.protocol.refused != "" && bytes.Contains(payload, []byte(r.swarm.protocol.refused)):
		r.refuse(string(data[h.size:min(len(data), h.size+h.length)]))
	case joining:
		r.swarm.joins(c, bytes.Count(payload, []byte(r.swarm.protocol.joined)))
	}
	c.left, c.packing = h.length, h.opcode == opBinary
	return h.size, true
}

// unpack looks for markers in a compressed frame. That it is the same as the last one is
// proof enough of what is in it.
func (r *reader) unpack(c *client, packed []byte) bool {
	if !bytes.Equal(packed, r.packed) {
		var text []byte
		reader, err := zlib.NewReader(bytes.NewReader(packed))
		if err == nil {
			text, err = io.ReadAll(reader)
		}
		if err != nil {
			r.refuse("a binary frame: " + err.Error())
			r.lost(c)
			return false
		}
		r.packed, r.inside = append(r.packed[:0], packed...), r.inside[:0]
		scan(text, func(m marker) { r.inside = append(r.inside, m) })
	}
	c.packing, c.packed = false, nil
	for _, m := range r.inside {
		r.found(c, m)
	}
	return true
}

func (r *reader) refuse(text string) {
	r.Refused++
	if r.Said == "" {
		r.Said = text
	}
}

// found counts a message, and checks that it is the stream's next.
func (r *reader) found(c *client, m marker) {
	slot := r.swarm.work.slot(c.first, m.stream)
	if slot < 0 || slot >= len(c.numbers) {
		r.Stray++
		return
	}
	switch last := int64(c.numbers[slot]); {
	case m.number == last+1:
	case m.number > last:
		r.Skipped += m.number - last - 1
	default:
		r.Again++
		return
	}
	c.numbers[slot] = uint32(m.number)
	c.got++
	if m.micros >= r.swarm.since.Load() {
		took := r.now - m.micros
		r.latency.add(took)
		r.lastAt = r.now
		if int(m.number) < len(r.slowest) {
			r.slowest[m.number] = max(r.slowest[m.number], took)
		}
	}
}
