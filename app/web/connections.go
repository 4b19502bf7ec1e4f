package web

import (
	"net"

	"burble/app/limit"
	"burble/app/peer"
)

// sendBuffer is how much the kernel buffers for a connection whose client does not read.
const sendBuffer = 128 << 10

// limitedListener bounds what the kernel buffers for each connection. It also resets the connections
// of an address that has too many open, before they have sent anything.
type limitedListener struct {
	net.Listener
	open *limit.Quota // nil behind a proxy, from which all connections come
}

func (s *Server) limitConnections(listener net.Listener) net.Listener {
	if s.options.TrustedProxy != peer.ProxyNone {
		return limitedListener{listener, nil}
	}
	return limitedListener{listener, s.limits.open}
}

// Accept implements net.Listener.
func (l limitedListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		tcp, ok := conn.(*net.TCPConn)
		if err != nil || !ok {
			return conn, err
		}
		tcp.SetWriteBuffer(sendBuffer)
		if l.open == nil {
			return tcp, nil
		}
		remote := peer.Address(nil, tcp.RemoteAddr().String(), peer.ProxyNone)
		if release, ok := l.open.Take(peer.Group(remote), 1); ok {
			return &countedConn{tcp, release}, nil
		}
		tcp.SetLinger(0) // resets the connection, so that the kernel keeps no state of it
		tcp.Close()
	}
}

// countedConn is a connection that is counted until it is closed.
type countedConn struct {
	*net.TCPConn
	release func()
}

// Close implements net.Conn.
func (c *countedConn) Close() error {
	c.release()
	return c.TCPConn.Close()
}
