package limit

import "net"

// Listener returns a listener that counts each open TCP connection against the quota, under the key
// of its remote address. It resets a connection that exceeds the quota before reading anything from
// it. It does not count other kinds of connections.
func Listener(listener net.Listener, quota *Quota, key func(remote net.Addr) string) net.Listener {
	return limitedListener{listener, quota, key}
}

type limitedListener struct {
	net.Listener
	quota *Quota
	key   func(net.Addr) string
}

// Accept implements net.Listener.
func (l limitedListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		tcp, ok := conn.(*net.TCPConn)
		if err != nil || !ok {
			return conn, err
		}
		if release, ok := l.quota.Take(l.key(tcp.RemoteAddr()), 1); ok {
			return &countedConn{tcp, release}, nil
		}
		tcp.SetLinger(0) // makes Close reset the connection, so that the kernel keeps no state for it
		tcp.Close()
	}
}

// countedConn is a connection that counts against a quota until it is closed.
type countedConn struct {
	*net.TCPConn
	release func()
}

// Close implements net.Conn.
func (c *countedConn) Close() error {
	c.release()
	return c.TCPConn.Close()
}
