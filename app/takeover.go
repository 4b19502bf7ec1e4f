package main

import (
	"bytes"
	"io"
	"net"
	"syscall"
	"time"
)

// A live read leaves the HTTP server, which keeps nothing of it then: no request, no
// buffers, no handler that waits.

// detach takes a connection out of the wrapper that a Hijack handler gets, which must
// not be used after the handler returned. input begins with what was read already.
func detach(wrapped net.Conn) (conn net.Conn, input io.Reader) {
	wrapped.SetReadDeadline(time.Unix(1, 0)) // what is buffered comes all the same
	early, _ := io.ReadAll(wrapped)
	conn = wrapped.(interface{ UnsafeConn() net.Conn }).UnsafeConn()
	conn.SetDeadline(time.Time{})
	if len(early) == 0 {
		return conn, conn
	}
	return conn, io.MultiReader(bytes.NewReader(early), conn)
}

// run has serve run a feed in a goroutine of its own, which the feeds wait for. It
// says false when the server is going away; then the caller finishes the feed.
func (a *App) run(f *feed, serve func()) bool {
	if conn, ok := f.conn.(syscall.Conn); ok {
		if raw, err := conn.SyscallConn(); err == nil {
			raw.Control(func(fd uintptr) { f.descriptor = int(fd) })
		}
	}
	if !a.feeds.add(f) {
		return false
	}
	go func() {
		defer a.feeds.remove(f)
		defer f.finish()
		defer a.recoverFeed()
		serve()
	}()
	return true
}
