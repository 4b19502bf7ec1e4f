//go:build linux

package load

import (
	"bytes"
	"compress/zlib"
	"io"
	"math"
	"strings"

	"burble/app/bench/wire"
)

// prefixSize is how many bytes at the start of a payload identify the kind of frame.
const prefixSize = 32

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
		if c.remaining == 0 {
			size, ok := r.beginFrame(c, data)
			if !ok {
				return data
			}
			data = data[size:]
			continue
		}
		if r.swarm.protocol.Unframed && c.confirmedFollows < r.swarm.follows {
			joined := bytes.Count(data, []byte(r.swarm.protocol.JoinedText))
			if r.swarm.confirmFollows(c, joined); joined == 0 {
				return data
			}
		}
		body := data[:min(c.remaining, len(data))]
		if c.compressed {
			c.remaining -= len(body)
			data = data[len(body):]
			if !r.parseCompressed(c, body) {
				return nil
			}
			continue
		}
		rest := wire.ScanMarkers(body, func(m wire.Marker) { r.countMessage(c, m) })
		if len(body) == c.remaining {
			rest = 0 // a marker never crosses the end of a frame
		}
		c.remaining -= len(body) - rest
		data = data[len(body)-rest:]
		if rest > 0 {
			return data
		}
	}
	return nil
}

// finishUpgrade parses the head of the server's response, and follows the client's rooms.
func (r *receiver) finishUpgrade(c *client, head string) bool {
	status, _, _ := strings.Cut(head, "\r\n")
	switch {
	case strings.Contains(status, " 101 "):
	case strings.Contains(status, " 200 "): // an endless response without frames
		c.remaining = math.MaxInt
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

// beginFrame parses a frame's header and the start of its payload. If the client waits for
// confirmation of its follows, beginFrame parses more of the payload, up to headroom/2. ok is false
// if data is too short for that.
func (r *receiver) beginFrame(c *client, data []byte) (size int, ok bool) {
	h, ok := wire.ReadHeader(data)
	if !ok {
		return 0, false
	}
	prefix := min(h.Length, prefixSize)
	joining := c.confirmedFollows < r.swarm.follows
	if joining {
		prefix = min(h.Length, headroom/2)
	}
	if len(data) < h.Size+prefix {
		return 0, false
	}
	payload := data[h.Size : h.Size+prefix]
	r.Frames++
	switch {
	case h.Opcode == wire.OpPing:
		frame, _ := wire.ClientFrame(wire.OpPong, nil)
		c.write(frame)
	case h.Opcode == wire.OpClose:
		r.countError(string(payload[min(2, prefix):]))
	case h.Opcode != wire.OpText:
	case bytes.HasPrefix(payload, []byte("{}")): // a ping from Centrifugo; the pong is the same text
		frame, _ := wire.ClientFrame(wire.OpText, payload[:2])
		c.write(frame)
	case r.swarm.protocol.ErrorText != "" && bytes.Contains(payload, []byte(r.swarm.protocol.ErrorText)):
		r.countError(string(data[h.Size:min(len(data), h.Size+h.Length)]))
	case joining:
		r.swarm.confirmFollows(c, bytes.Count(payload, []byte(r.swarm.protocol.JoinedText)))
	}
	c.remaining, c.compressed = h.Length, h.Opcode == wire.OpBinary
	return h.Size, true
}

// parseCompressed collects the parts of a compressed frame, and handles the frame when it is
// complete. It returns false if the frame is invalid.
func (r *receiver) parseCompressed(c *client, part []byte) bool {
	if len(c.packed) > 0 || c.remaining > 0 {
		c.packed = append(c.packed, part...)
		part = c.packed
	}
	if c.remaining > 0 {
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

// unpack decompresses a frame and finds its markers. Many clients receive the same bytes, so it
// keeps the result for the next call.
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
	wire.ScanMarkers(text, func(m wire.Marker) { r.unpacked = append(r.unpacked, m) })
	return nil
}
