package limit

import "net"

// Listener returns a listener that counts each TCP connection against the quota until it is closed,
// under the key of its remote address. A connection that exceeds the quota is reset before anything
// is read from it. Other connections are not counted.
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
