package web

import (
	"net"

	"burble/app/limit"
	"burble/app/peer"
)

// sendBuffer is how many bytes the kernel may buffer for a connection whose client does not read.
const sendBuffer = 128 << 10

// boundedListener sets the send buffer of each connection that it accepts.
type boundedListener struct{ net.Listener }

// Accept implements net.Listener.
func (l boundedListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if tcp, ok := conn.(*net.TCPConn); ok {
		tcp.SetWriteBuffer(sendBuffer)
	}
	return conn, err
}

// limitConnections returns a listener that limits the open connections of each address. Behind a
// proxy there is no such limit, because all connections come from the proxy.
func (s *Server) limitConnections(listener net.Listener) net.Listener {
	if s.options.TrustedProxy != peer.ProxyNone {
		return boundedListener{listener}
	}
	return limit.Listener(boundedListener{listener}, s.limits.openConnections, func(remote net.Addr) string {
		return peer.LimitKey(peer.Address(nil, remote.String(), peer.ProxyNone))
	})
}
