package live

import (
	"cmp"
	"errors"
	"os"
	"slices"
	"time"

	"burble/app/ws"
)

const (
	// writeTimeout bounds one write. A client that takes longer to read it is too slow.
	writeTimeout = 10 * time.Second
	// slowLinger is the time that a client that was too slow still gets to read the rest of a
	// frame, and the close frame after it.
	slowLinger = 10 * time.Second
	// closeTimeout bounds each half of the closing handshake.
	closeTimeout = time.Second
)

// Write writes whole frames and waits for a slow client. It reports whether everything was written.
// Write(nil) writes the head. It may be called from many goroutines at once.
func (f *Feed) Write(frames []byte) bool { return f.writeBoth(nil, frames) }

// writeBoth writes two frames, or two pieces of one, without copying the second, which may be long
// and shared with other feeds.
func (f *Feed) writeBoth(head, data []byte) bool {
	f.writing.Lock()
	defer f.writing.Unlock()
	if f.isBroken {
		return false
	}
	left, err := f.writeNow(f.withUnwritten(head), data)
	if err == nil && len(left) > 0 {
		var n int
		f.conn.SetWriteDeadline(time.Now().Add(writeTimeout))
		n, err = f.conn.Write(left)
		f.conn.SetWriteDeadline(time.Time{}) // otherwise writeNow fails after it has passed
		left = left[n:]
	}
	if err != nil {
		f.fail(left, err)
	}
	return err == nil
}

// tryWrite writes as much of both as it can without blocking. If ok is false, the caller must call
// Write with what is left, which may block.
func (f *Feed) tryWrite(head, data []byte) (left []byte, ok bool) {
	if !f.writing.TryLock() {
		return slices.Concat(head, data), false
	}
	defer f.writing.Unlock()
	if f.isBroken {
		return nil, true
	}
	left, err := f.writeNow(f.withUnwritten(head), data)
	if err != nil {
		f.fail(left, err)
		return nil, true
	}
	f.unwritten = left
	return nil, len(left) == 0
}

// withUnwritten returns what an earlier write left, followed by data. The caller holds writing.
func (f *Feed) withUnwritten(data []byte) []byte {
	if len(f.unwritten) > 0 {
		data = slices.Concat(f.unwritten, data)
	}
	f.unwritten = nil
	return data
}

// writeNow writes as much as the kernel takes without blocking, and returns the rest. RawConn.Write
// locks the descriptor, so it cannot be closed and reused for another client in the meantime. It
// does not wait either, because the callback always reports that it is done. The caller holds
// writing.
func (f *Feed) writeNow(head, data []byte) (left []byte, err error) {
	n := 0
	if f.raw != nil && len(head)+len(data) > 0 {
		closed := f.raw.Write(func(descriptor uintptr) bool {
			n, err = writeVector(int(descriptor), head, data)
			return true
		})
		err = cmp.Or(err, closed)
	}
	if n < len(head) {
		return slices.Concat(head[n:], data), err
	}
	return data[n-len(head):], err
}

// fail closes a connection after a failed write. The caller holds writing.
func (f *Feed) fail(left []byte, err error) {
	f.isBroken, f.unwritten = true, left // finish writes the rest before the close frame
	if errors.Is(err, os.ErrDeadlineExceeded) && !f.Closed() {
		f.engine.tooSlow.Add(1)
		f.HangUp(ws.CloseTooSlow, "too slow: reconnect with your cursor")
		return
	}
	f.HangUp(closeGone, "")
}

// HangUp ends serve's reads of the connection, so that it returns and the connection is closed. Only
// the code and the reason of the first call count.
func (f *Feed) HangUp(code int, reason string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.isClosed {
		return
	}
	f.isClosed, f.code, f.reason = true, code, reason
	f.conn.SetReadDeadline(time.Unix(1, 0)) // ends a blocked read
}

// HangUpGone is HangUp for a connection whose client is gone: no close frame is written.
func (f *Feed) HangUpGone() { f.HangUp(closeGone, "") }

// Closed reports whether the connection is closed, or will be soon.
func (f *Feed) Closed() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.isClosed
}

// WaitClosed reads and discards input until the client or HangUp closes the connection.
func (f *Feed) WaitClosed() {
	var discard [64]byte
	for {
		if _, err := f.conn.Read(discard[:]); err != nil {
			f.HangUpGone()
			return
		}
	}
}

// finish closes the readers, writes the close frame, and closes the connection.
func (f *Feed) finish() {
	defer f.close()
	f.HangUpGone()
	f.mu.Lock()
	code, reason, rooms := f.code, f.reason, f.rooms
	f.rooms, f.queue = nil, nil
	f.mu.Unlock()
	for _, room := range rooms {
		room.reader.Close()
	}
	if code == closeGone {
		f.conn.SetDeadline(time.Unix(1, 0)) // ends a blocked write
		f.pumping.Wait()
		return
	}
	f.pumping.Wait()
	f.writing.Lock()
	defer f.writing.Unlock()
	timeout := closeTimeout
	if code == ws.CloseTooSlow {
		timeout = slowLinger
	}
	f.conn.SetDeadline(time.Now().Add(timeout))
	last := slices.Concat(f.unwritten, f.codec.end(code, reason))
	if _, err := f.conn.Write(last); err != nil {
		return
	}
	f.discardInput()
}

// discardInput closes our half of the connection, and reads until the client closes the other.
// Closing a connection with unread input would reset it, and the client might lose what was
// written last: RFC 6455 section 7.1.1.
func (f *Feed) discardInput() {
	if half, ok := f.conn.(interface{ CloseWrite() error }); ok {
		half.CloseWrite()
	}
	f.conn.SetDeadline(time.Now().Add(closeTimeout))
	var discard [512]byte
	for {
		if _, err := f.conn.Read(discard[:]); err != nil {
			return
		}
	}
}

// close closes the connection.
func (f *Feed) close() {
	f.writing.Lock()
	defer f.writing.Unlock()
	f.isBroken = true
	f.conn.Close()
}
