//go:build linux

package load

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"
)

// client is one connection to the server. Only its receiver reads from it. Any goroutine may write
// whole frames to it.
type client struct {
	fd    int
	index int

	writing sync.Mutex

	// Used only by the receiver:
	state            state
	unread           []byte   // an incomplete header or marker at the end of the last read
	remaining        int      // bytes left of the current frame's payload
	compressed       bool     // whether the current frame is compressed
	packed           []byte   // the part of the current compressed frame that has arrived
	firstRoom        int      // the first room that the client follows
	confirmedFollows int      // number of rooms whose follow the server has confirmed
	numbers          []uint32 // the last Marker.Number of each sequence, by Workload.slot
	received         int      // number of messages
	goal             int      // number of messages that the client waits for; may be 0
}

type state byte

const (
	connecting state = iota
	upgrading
	open
	closed
)

// clientsPerAddress is the number of clients that share a source address. Each address has 28,000
// ports, some of them in TIME_WAIT after an earlier run.
const clientsPerAddress = 20_000

const ipBindAddressNoPort = 24 // IP_BIND_ADDRESS_NO_PORT, which package syscall lacks

// connect starts a nonblocking connect, and does not wait until it completes.
func (c *client) connect(port int) (err error) {
	c.fd, err = syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("socket: %w", err)
	}
	syscall.SetsockoptInt(c.fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1)
	syscall.SetsockoptInt(c.fd, syscall.IPPROTO_IP, ipBindAddressNoPort, 1)
	from := [4]byte{127, 0, 0, byte(1 + c.index/clientsPerAddress)}
	if err := syscall.Bind(c.fd, &syscall.SockaddrInet4{Addr: from}); err != nil {
		return fmt.Errorf("bind: %w", err)
	}
	err = syscall.Connect(c.fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}, Port: port})
	if err != nil && !errors.Is(err, syscall.EINPROGRESS) {
		return fmt.Errorf("connect: %w", err)
	}
	return nil
}

// writeTimeout is how long a write waits for the server to read.
const writeTimeout = 10 * time.Second

// write writes all of data. While the socket's buffer is full, it polls.
func (c *client) write(data []byte) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	for began := time.Now(); ; {
		n, err := syscall.Write(c.fd, data)
		if n > 0 {
			data = data[n:]
		}
		if len(data) == 0 {
			return nil
		}
		switch {
		case err == nil, errors.Is(err, syscall.EINTR):
		case !errors.Is(err, syscall.EAGAIN):
			return os.NewSyscallError("write", err)
		case time.Since(began) > writeTimeout:
			return fmt.Errorf("write: the server has not read for %v", writeTimeout)
		default:
			time.Sleep(200 * time.Microsecond)
		}
	}
}

// close resets the connection, which frees its port at once.
func (c *client) close() {
	syscall.SetsockoptLinger(c.fd, syscall.SOL_SOCKET, syscall.SO_LINGER, &syscall.Linger{Onoff: 1})
	syscall.Close(c.fd)
}
