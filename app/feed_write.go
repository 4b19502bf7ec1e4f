package main

import (
	"errors"
	"os"
	"slices"
	"time"
)

// write writes whole frames, one caller at a time, and waits for a slow reader.
func (f *feed) write(data []byte) bool { return f.writeBoth(nil, data) }

// writeBoth is write of what is in two pieces: the second is long, and the same for many.
func (f *feed) writeBoth(head, data []byte) bool {
	f.writing.Lock()
	defer f.writing.Unlock()
	if f.broken {
		return false
	}
	left, err := f.attempt(f.afterRest(head), data)
	if err == nil && len(left) > 0 {
		var n int
		f.conn.SetWriteDeadline(time.Now().Add(slowAfter))
		n, err = f.conn.Write(left)
		f.conn.SetWriteDeadline(time.Time{}) // an attempt would find it passed
		left = left[n:]
	}
	if err != nil {
		f.fail(left, err)
	}
	return err == nil
}

// writeNow writes as much of both as can be without waiting. Not ok: the next write has
// to wait, and to write what is left.
func (f *feed) writeNow(head, data []byte) (left []byte, ok bool) {
	if !f.writing.TryLock() {
		return slices.Concat(head, data), false
	}
	defer f.writing.Unlock()
	if f.broken {
		return nil, true
	}
	left, err := f.attempt(f.afterRest(head), data)
	if err != nil {
		f.fail(left, err)
		return nil, true
	}
	f.rest = left
	return nil, len(left) == 0
}

// afterRest puts what is left of the frame before in front. The caller holds writing.
func (f *feed) afterRest(data []byte) []byte {
	if len(f.rest) > 0 {
		data = slices.Concat(f.rest, data)
	}
	f.rest = nil
	return data
}

// attempt writes what the kernel takes at once: past Go's poller, with whose deadlines
// and waiting it has nothing to do, and which costs a twentieth of a write. The
// descriptor is good for as long as anyone writes, see finish.
func (f *feed) attempt(head, data []byte) (left []byte, err error) {
	n := 0
	if f.descriptor != 0 && len(head)+len(data) > 0 {
		n, err = writeAtOnce(f.descriptor, head, data)
	}
	if n < len(head) {
		return slices.Concat(head[n:], data), err
	}
	return data[n-len(head):], err
}

// fail ends a connection that could not be written to. The caller holds writing.
func (f *feed) fail(rest []byte, err error) {
	f.broken, f.rest = true, rest // finish may have more to say, for another reason
	if errors.Is(err, os.ErrDeadlineExceeded) && !f.isClosed() {
		f.app.metrics.tooSlow.Inc()
		f.hangUp(closeTooSlow, "too slow: come back with your cursor")
		return
	}
	f.hangUp(closeGone, "")
}

// hangUp has the connection's goroutine end it, for the first reason given.
func (f *feed) hangUp(code int, reason string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return
	}
	f.closed, f.code, f.reason = true, code, reason
	f.conn.SetReadDeadline(time.Unix(1, 0)) // a blocked read ends: Close would not end it
}

// finish gives back everything, says why, and closes the connection when nobody
// uses it any more.
func (f *feed) finish() {
	defer f.close()
	f.hangUp(closeGone, "")
	f.mu.Lock()
	code, reason, rooms, answers := f.code, f.reason, f.rooms, f.answers
	f.rooms, f.queue, f.answers = nil, nil, nil
	f.mu.Unlock()
	for _, room := range rooms {
		room.reader.Close()
	}
	if code == closeGone {
		f.conn.SetDeadline(time.Unix(1, 0))
		f.running.Wait()
		return
	}
	f.running.Wait()
	f.writing.Lock()
	defer f.writing.Unlock()
	patience := farewell
	if code == closeTooSlow {
		patience = lingerFor
	}
	f.conn.SetDeadline(time.Now().Add(patience))
	last := slices.Concat(f.rest, slices.Concat(answers...), f.codec.end(code, reason))
	if _, err := f.conn.Write(last); err != nil {
		return
	}
	// Closing a connection that has unread input resets it, and what was written last
	// may be lost: RFC 6455 section 7.1.1 has the server shut its side, and read.
	if half, ok := f.conn.(interface{ CloseWrite() error }); ok {
		half.CloseWrite()
	}
	f.conn.SetDeadline(time.Now().Add(farewell))
	var discard [512]byte
	for {
		if _, err := f.conn.Read(discard[:]); err != nil {
			return
		}
	}
}

// close closes the connection. Its descriptor may be another's then.
func (f *feed) close() {
	f.writing.Lock()
	defer f.writing.Unlock()
	f.broken = true
	f.conn.Close()
}

func (f *feed) isClosed() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.closed
}
