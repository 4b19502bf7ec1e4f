package limit

import (
	"errors"
	"net"
	"slices"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Capacity is a listener that never runs out of file descriptors. It limits the connections from all
// addresses together, and each address to three quarters of that limit. Beyond the limit, it accepts a
// few spare connections (see IsSpare), on which a server can answer probes. If there are too many of
// these, it closes the oldest, which is probably idle, because a probe takes only a moment.
//
// If accepting fails anyway, Accept retries.
type Capacity struct {
	net.Listener
	Spare   int                          // at least 1
	Key     func(remote net.Addr) string // identifies an address; if nil, there is no limit per address
	OnError func(error)                  // called at most once a second while Accept fails, or while the capacity is used up

	open, byKey *Quota
	errors      rate.Sometimes

	mu    sync.Mutex
	spare []*spareConn // oldest first
}

// ErrCapacity is the error for OnError while the capacity is used up.
var ErrCapacity = errors.New("too many open connections")

// NewCapacity returns a Capacity of most connections, not counting spare ones; 0 means no limit. Its other fields may be
// set before it is used.
func NewCapacity(listener net.Listener, most, spare int) *Capacity {
	return &Capacity{
		Listener: listener, Spare: spare, OnError: func(error) {},
		open: NewQuota(most), byKey: NewQuota(most * 3 / 4), errors: rate.Sometimes{Interval: time.Second},
	}
}

// Accept implements net.Listener. It fails only when the listener is closed.
func (l *Capacity) Accept() (net.Conn, error) {
	for wait := 5 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		conn, err := l.Listener.Accept()
		if err == nil {
			return l.admit(conn), nil
		}
		if errors.Is(err, net.ErrClosed) {
			return nil, err
		}
		l.errors.Do(func() { l.OnError(err) })
		time.Sleep(wait)
	}
}

// admit counts a connection, or makes it a spare one.
func (l *Capacity) admit(conn net.Conn) net.Conn {
	release, ok := l.take(conn.RemoteAddr())
	switch conn := conn.(type) {
	case *net.TCPConn:
		if ok {
			return &countedConn{conn, release}
		}
	case *countedConn:
		if ok {
			own := conn.release
			conn.release = func() { own(); release() }
			return conn
		}
	default:
		if ok {
			release() // the connection cannot be counted
			return conn
		}
	}
	l.errors.Do(func() { l.OnError(ErrCapacity) })
	return l.makeSpare(conn)
}

func (l *Capacity) take(remote net.Addr) (release func(), ok bool) {
	releaseOpen, ok := l.open.Take("", 1)
	if !ok || l.Key == nil {
		return releaseOpen, ok
	}
	releaseKey, ok := l.byKey.Take(l.Key(remote), 1)
	if !ok {
		releaseOpen()
		return nil, false
	}
	return func() { releaseOpen(); releaseKey() }, true
}

func (l *Capacity) makeSpare(conn net.Conn) net.Conn {
	spare := &spareConn{Conn: conn, listener: l}
	l.mu.Lock()
	l.spare = append(l.spare, spare)
	var oldest *spareConn
	if len(l.spare) > l.Spare {
		oldest = l.spare[0]
	}
	l.mu.Unlock()
	if oldest != nil {
		oldest.Close()
	}
	return spare
}

// spareConn is a connection above the capacity.
type spareConn struct {
	net.Conn
	listener *Capacity
}

// Close implements net.Conn.
func (c *spareConn) Close() error {
	l := c.listener
	l.mu.Lock()
	l.spare = slices.DeleteFunc(l.spare, func(other *spareConn) bool { return other == c })
	l.mu.Unlock()
	return c.Conn.Close()
}

// IsSpare reports whether a connection is above the capacity of its listener. The server answers
// probes on it, refuses everything else, and closes it.
func IsSpare(conn net.Conn) bool {
	_, spare := conn.(*spareConn)
	return spare
}
