//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"
)

// client is one connection to the server. A reader goroutine reads it; anyone may
// write whole frames.
type client struct {
	fd    int
	index int

	writing sync.Mutex

	// What follows belongs to the reader.
	state   state
	unread  []byte // the end of what was read last: the beginning of something
	left    int    // of the present frame's payload
	packing bool   // that is compressed
	packed  []byte // what there is of it
	first   int    // room that it follows
	follows int    // how many rooms it was told that it follows
	numbers []uint32
	got     int // messages
	goal    int // messages that it waits for; 0: none
}

type state byte

const (
	connecting state = iota
	upgrading
	open
	closed
)

// perAddress is how many connections share a source address. There are 28,000
// ports for each, some of them still in use by what ended a moment ago.
const perAddress = 20_000

const bindAddressNoPort = 24 // IP_BIND_ADDRESS_NO_PORT, which package syscall lacks

// connect begins to connect, without waiting.
func (c *client) connect(port int) (err error) {
	c.fd, err = syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("socket: %w", err)
	}
	syscall.SetsockoptInt(c.fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1)
	syscall.SetsockoptInt(c.fd, syscall.IPPROTO_IP, bindAddressNoPort, 1)
	from := [4]byte{127, 0, 0, byte(1 + c.index/perAddress)}
	if err := syscall.Bind(c.fd, &syscall.SockaddrInet4{Addr: from}); err != nil {
		return fmt.Errorf("bind: %w", err)
	}
	err = syscall.Connect(c.fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}, Port: port})
	if err != nil && !errors.Is(err, syscall.EINPROGRESS) {
		return fmt.Errorf("connect: %w", err)
	}
	return nil
}

// stuckFor is how long a server may take nothing before a write to it fails.
const stuckFor = 10 * time.Second

// write writes all of data. While the server takes nothing, it waits.
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
		case time.Since(began) > stuckFor:
			return fmt.Errorf("the server took nothing for %v", stuckFor)
		default:
			time.Sleep(200 * time.Microsecond)
		}
	}
}

// close ends the connection with a reset, so that its port is free at once.
func (c *client) close() {
	syscall.SetsockoptLinger(c.fd, syscall.SOL_SOCKET, syscall.SO_LINGER, &syscall.Linger{Onoff: 1})
	syscall.Close(c.fd)
}
