package main

import (
	"errors"
	"os"
	"time"
)

// write writes whole frames, one caller at a time.
func (f *feed) write(data []byte) bool {
	f.writing.Lock()
	defer f.writing.Unlock()
	if f.broken {
		return false
	}
	f.conn.SetWriteDeadline(time.Now().Add(slowAfter))
	n, err := f.conn.Write(data)
	if err == nil {
		return true
	}
	f.broken = true
	if errors.Is(err, os.ErrDeadlineExceeded) {
		f.rest = data[n:]
		f.app.metrics.tooSlow.Inc()
		f.hangUp(closeTooSlow, "too slow: come back with your cursor")
	} else {
		f.hangUp(closeGone, "")
	}
	return false
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
	defer f.conn.Close()
	f.hangUp(closeGone, "")
	f.mu.Lock()
	code, reason, rooms := f.code, f.reason, f.rooms
	f.rooms, f.queue = nil, nil
	f.mu.Unlock()
	for _, room := range rooms {
		room.reader.Close()
	}
	if code == closeGone {
		f.conn.SetDeadline(time.Unix(1, 0))
		f.pumps.Wait()
		return
	}
	f.pumps.Wait()
	f.writing.Lock()
	defer f.writing.Unlock()
	patience := farewell
	if code == closeTooSlow {
		patience = lingerFor
	}
	f.conn.SetDeadline(time.Now().Add(patience))
	last := append(f.rest[:len(f.rest):len(f.rest)], f.codec.end(code, reason)...)
	if _, err := f.conn.Write(last); err != nil {
		return
	}
	// Closing a connection that has unread input resets it, and what was written
	// last may be lost: the other side closes first, RFC 6455 section 7.1.1.
	f.conn.SetDeadline(time.Now().Add(farewell))
	var discard [512]byte
	for {
		if _, err := f.conn.Read(discard[:]); err != nil {
			return
		}
	}
}

func (f *feed) isClosed() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.closed
}
