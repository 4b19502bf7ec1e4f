package throttle

import (
	"log/slog"
	"net"

	"burble/app/limit"
	"burble/app/peer"
)

// SendBuffer is how many bytes the kernel may buffer for a connection whose client does not read.
const SendBuffer = 128 << 10

// boundedListener sets the send buffer of each connection that it accepts.
type boundedListener struct{ net.Listener }

// Accept implements net.Listener.
func (l boundedListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if tcp, ok := conn.(*net.TCPConn); ok {
		tcp.SetWriteBuffer(SendBuffer)
	}
	return conn, err
}

const (
	// OtherFiles is how many file descriptors the server reserves for purposes other than clients'
	// connections, mainly connections to Redis. If the limit of open files is large, it reserves a
	// sixteenth of that instead.
	OtherFiles = 48
	// SpareConnections is how many connections above its capacity a server accepts to answer probes.
	SpareConnections = 16
)

// Listener returns a listener that limits the open connections from each address and from all addresses
// together. Behind a trusted proxy, there is no limit per address, because all connections come from the
// proxy.
func (l *Limits) Listener(listener net.Listener, trustedProxy string, log *slog.Logger) net.Listener {
	listener = boundedListener{listener}
	key := func(remote net.Addr) string {
		return peer.LimitKey(peer.Address(nil, remote.String(), peer.ProxyNone))
	}
	if trustedProxy == peer.ProxyNone {
		listener = limit.Listener(listener, l.OpenConnections, key)
	}
	capacity := limit.NewCapacity(listener, maxConnections(limit.Files()), SpareConnections)
	if trustedProxy == peer.ProxyNone {
		capacity.Key = key
	}
	capacity.OnError = func(err error) {
		log.Warn("cannot serve all connections", "error", err, "file_limit", limit.Files())
	}
	return capacity
}

// maxConnections returns how many connections a process may have if it may open this many files, or 0
// for no limit.
func maxConnections(files int) int {
	if files == 0 {
		return 0
	}
	return max(1, files-max(OtherFiles, files/16)-SpareConnections)
}
