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
	// writeTimeout limits each write. A client that takes longer to read is too slow.
	writeTimeout = 10 * time.Second
	// slowClientTimeout is how long a client that is too slow may take to read the rest of the
	// current frame and the close frame.
	slowClientTimeout = 10 * time.Second
	// closeTimeout limits each half of the closing handshake.
	closeTimeout = time.Second
)

// Write writes whole frames, and blocks while the client is slow. It reports whether it wrote
// everything. Write(nil) writes the head. Write is safe for concurrent use.
func (f *Feed) Write(frames []byte) bool {
	f.writing.Lock()
	defer f.writing.Unlock()
	if f.isBroken {
		return false
	}
	rest, err := f.writeNow(f.takeUnwritten(nil), frames)
	if err == nil && len(rest) > 0 {
		var n int
		f.conn.SetWriteDeadline(time.Now().Add(writeTimeout))
		n, err = f.conn.Write(rest)
		f.conn.SetWriteDeadline(time.Time{}) // a deadline in the past would make writeNow fail
		rest = rest[n:]
	}
	if err != nil {
		f.fail(rest, err)
	}
	return err == nil
}

// tryWrite writes as much of first and second as it can without blocking. If ok is false, the caller
// must call Write with the rest, which may block.
func (f *Feed) tryWrite(first, second []byte) (rest []byte, ok bool) {
	if !f.writing.TryLock() {
		return slices.Concat(first, second), false
	}
	defer f.writing.Unlock()
	if f.isBroken {
		return nil, true
	}
	rest, err := f.writeNow(f.takeUnwritten(first), second)
	if err != nil {
		f.fail(rest, err)
		return nil, true
	}
	f.unwritten = rest
	return nil, len(rest) == 0
}

// takeUnwritten returns f.unwritten followed by data, and clears f.unwritten. The caller must hold
// writing.
func (f *Feed) takeUnwritten(data []byte) []byte {
	if len(f.unwritten) > 0 {
		data = slices.Concat(f.unwritten, data)
	}
	f.unwritten = nil
	return data
}

// writeNow writes as much as the kernel accepts without blocking, and returns the rest. RawConn.Write
// locks the descriptor, so that it cannot be closed and reused for another client during the write.
// RawConn.Write does not wait, because the callback always returns true. The caller must hold writing.
func (f *Feed) writeNow(first, second []byte) (rest []byte, err error) {
	n := 0
	if f.raw != nil && len(first)+len(second) > 0 {
		rawErr := f.raw.Write(func(descriptor uintptr) bool {
			n, err = writeVector(int(descriptor), first, second)
			return true
		})
		err = cmp.Or(err, rawErr)
	}
	if n < len(first) {
		return slices.Concat(first[n:], second), err
	}
	return second[n-len(first):], err
}

// fail hangs up after a failed write. The caller must hold writing.
func (f *Feed) fail(rest []byte, err error) {
	f.isBroken, f.unwritten = true, rest // finish writes the rest before the close frame
	if errors.Is(err, os.ErrDeadlineExceeded) && !f.Closed() {
		f.engine.tooSlow.Add(1)
		f.HangUp(ws.CloseTooSlow, "too slow: reconnect with your cursor")
		return
	}
	f.HangUp(closeSilently, "")
}

// HangUp makes reads from the connection fail. The serve function of Start then returns, and the feed
// closes the connection with the code and the reason. Only the first call has an effect.
func (f *Feed) HangUp(code int, reason string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.isClosed {
		return
	}
	f.isClosed, f.code, f.reason = true, code, reason
	f.conn.SetReadDeadline(time.Unix(1, 0)) // ends a blocked read
}

// SignOut is like HangUp, and also notifies the client that its session has ended.
func (f *Feed) SignOut() { f.HangUp(ws.CloseSignedOut, "signed out") }

// Reconnect is like HangUp, and makes the client connect again, because its user has changed.
func (f *Feed) Reconnect() { f.HangUp(ws.CloseRestart, "your name or role has changed: reconnect") }

// HangUpSilently is like HangUp, but the feed writes no close frame, because the client is gone.
func (f *Feed) HangUpSilently() { f.HangUp(closeSilently, "") }

// Closed reports whether HangUp was called.
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
			f.HangUpSilently()
			return
		}
	}
}

// finish closes the readers, writes the close frame, and closes the connection.
func (f *Feed) finish() {
	defer f.close()
	f.HangUpSilently()
	f.mu.Lock()
	code, reason, rooms := f.code, f.reason, f.rooms
	f.rooms, f.queue = nil, nil
	f.mu.Unlock()
	for _, room := range rooms {
		room.reader.Close()
	}
	if code == closeSilently {
		f.conn.SetDeadline(time.Unix(1, 0)) // ends a blocked write
		f.pumping.Wait()
		return
	}
	f.pumping.Wait()
	f.writing.Lock()
	defer f.writing.Unlock()
	timeout := closeTimeout
	if code == ws.CloseTooSlow {
		timeout = slowClientTimeout
	}
	f.conn.SetDeadline(time.Now().Add(timeout))
	last := slices.Concat(f.unwritten, f.codec.end(code, reason))
	if _, err := f.conn.Write(last); err != nil {
		return
	}
	f.discardInput()
}

// discardInput closes the server's half of the connection and reads until the client closes the other
// half. Closing a connection with unread input would reset it, and the client might lose the last
// writes (RFC 6455, section 7.1.1).
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

func (f *Feed) close() {
	f.writing.Lock()
	defer f.writing.Unlock()
	f.isBroken = true
	f.conn.Close()
}
