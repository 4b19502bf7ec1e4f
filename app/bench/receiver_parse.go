//go:build linux

package main

import (
	"bytes"
	"compress/zlib"
	"io"
	"math"
	"strings"
)

// frontSize is how many bytes of a payload are looked at to tell what kind of frame it is.
const frontSize = 32

// parse handles the complete parts of data and returns the rest.
func (r *receiver) parse(c *client, data []byte) (rest []byte) {
	if c.state == upgrading {
		head, body, complete := bytes.Cut(data, []byte("\r\n\r\n"))
		if !complete {
			return data
		}
		if !r.finishUpgrade(c, string(head)) {
			return nil
		}
		data = body
	}
	for len(data) > 0 && c.state == open {
		if c.left == 0 {
			size, ok := r.beginFrame(c, data)
			if !ok {
				return data
			}
			data = data[size:]
			continue
		}
		if r.swarm.protocol.unframed && c.follows < r.swarm.follows {
			joined := bytes.Count(data, []byte(r.swarm.protocol.joined))
			if r.swarm.confirmFollows(c, joined); joined == 0 {
				return data
			}
		}
		body := data[:min(c.left, len(data))]
		if c.compressed {
			c.left -= len(body)
			data = data[len(body):]
			if !r.parseCompressed(c, body) {
				return nil
			}
			continue
		}
		rest := scanMarkers(body, func(m marker) { r.countMessage(c, m) })
		if len(body) == c.left {
			rest = 0 // a marker does not cross the end of a frame
		}
		c.left -= len(body) - rest
		data = data[len(body)-rest:]
		if rest > 0 {
			return data
		}
	}
	return nil
}

// finishUpgrade reads the head of the server's response, and follows the client's rooms.
func (r *receiver) finishUpgrade(c *client, head string) bool {
	status, _, _ := strings.Cut(head, "\r\n")
	switch {
	case strings.Contains(status, " 101 "):
	case strings.Contains(status, " 200 "): // a response without frames and without end
		c.left = math.MaxInt
	default:
		r.countError(status)
		r.markClosed(c)
		return false
	}
	c.state = open
	for _, frame := range r.swarm.opened(c) {
		if err := c.write(frame); err != nil {
			r.markClosed(c)
		}
	}
	return true
}

// beginFrame reads a frame's header and looks at the front of its payload. For a client that
// still waits for its follows to be confirmed, that is the whole payload. ok is false if
// more bytes are needed.
func (r *receiver) beginFrame(c *client, data []byte) (size int, ok bool) {
	h, ok := readFrameHeader(data)
	if !ok {
		return 0, false
	}
	front := min(h.length, frontSize)
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
		r.countError(string(payload[min(2, front):]))
	case h.opcode != opText:
	case bytes.HasPrefix(payload, []byte("{}")): // Centrifugo's ping, answered with the same
		frame, _ := clientFrame(opText, payload[:2])
		c.write(frame)
	case r.swarm.protocol.refused != "" && bytes.Contains(payload, []byte(r.swarm.protocol.refused)):
		r.countError(string(data[h.size:min(len(data), h.size+h.length)]))
	case joining:
		r.swarm.confirmFollows(c, bytes.Count(payload, []byte(r.swarm.protocol.joined)))
	}
	c.left, c.compressed = h.length, h.opcode == opBinary
	return h.size, true
}

// parseCompressed handles a part of a compressed frame, and the frame once it is complete. It
// returns false if the frame is broken.
func (r *receiver) parseCompressed(c *client, part []byte) bool {
	if len(c.packed) > 0 || c.left > 0 {
		c.packed = append(c.packed, part...)
		part = c.packed
	}
	if c.left > 0 {
		return true
	}
	if err := r.unpack(part); err != nil {
		r.countError("a binary frame: " + err.Error())
		r.markClosed(c)
		return false
	}
	c.compressed, c.packed = false, nil
	for _, m := range r.unpacked {
		r.countMessage(c, m)
	}
	return true
}

// unpack finds the markers of a compressed frame. Many clients receive the same bytes, which
// are decompressed once.
func (r *receiver) unpack(packed []byte) error {
	if bytes.Equal(packed, r.packed) {
		return nil
	}
	reader, err := zlib.NewReader(bytes.NewReader(packed))
	if err != nil {
		return err
	}
	text, err := io.ReadAll(reader)
	if err != nil {
		return err
	}
	r.packed, r.unpacked = append(r.packed[:0], packed...), r.unpacked[:0]
	scanMarkers(text, func(m marker) { r.unpacked = append(r.unpacked, m) })
	return nil
}
