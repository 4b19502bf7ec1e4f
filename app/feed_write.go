package main

import (
	"errors"
	"net"
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

// finish gives back everything, says why, and returns when nobody uses the
// connection any more: it is pooled, and would be another user's next.
func (f *feed) finish() {
	f.hangUp(closeGone, "")
	f.mu.Lock()
	code, reason, said, rooms := f.code, f.reason, f.said, f.rooms
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
	last := f.rest[:len(f.rest):len(f.rest)]
	if !said {
		last = append(last, f.codec.end(code, reason)...)
	}
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

// bound bounds what the kernel keeps of a connection's unread frames.
func bound(conn net.Conn) {
	if wrapped, ok := conn.(interface{ UnsafeConn() net.Conn }); ok {
		conn = wrapped.UnsafeConn()
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		tcp.SetWriteBuffer(sendBuffer)
	}
}

func (f *feed) isClosed() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.closed
}
