package web

import (
	"net"

	"burble/app/limit"
	"burble/app/peer"
)

// sendBuffer is how much the kernel buffers for a connection whose client does not read.
const sendBuffer = 128 << 10

// boundedListener bounds what the kernel buffers for each connection.
type boundedListener struct{ net.Listener }

// Accept implements net.Listener.
func (l boundedListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if tcp, ok := conn.(*net.TCPConn); ok {
		tcp.SetWriteBuffer(sendBuffer)
	}
	return conn, err
}

// limitConnections bounds the open connections of each address, except behind a proxy, from which all
// connections come.
func (s *Server) limitConnections(listener net.Listener) net.Listener {
	if s.options.TrustedProxy != peer.ProxyNone {
		return boundedListener{listener}
	}
	return limit.Listener(boundedListener{listener}, s.limits.open, func(remote net.Addr) string {
		return peer.Group(peer.Address(nil, remote.String(), peer.ProxyNone))
	})
}
