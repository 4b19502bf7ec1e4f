package redistest

import (
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"testing"
)

// Proxy stands between a Store and a Redis, and fails as networks do.
type Proxy struct {
	Addr string // 127.0.0.1:port

	listener net.Listener
	running  sync.WaitGroup

	mu       sync.Mutex
	upstream string // "": nobody is there
	chance   float64
	pairs    map[net.Conn]net.Conn // client to server
}

// StartProxy starts a proxy to the address, which may be a Unix socket. It ends with the test.
func StartProxy(t testing.TB, upstream string) *Proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{
		Addr: listener.Addr().String(), listener: listener,
		upstream: upstream, pairs: make(map[net.Conn]net.Conn),
	}
	p.running.Go(p.accept)
	t.Cleanup(func() {
		listener.Close()
		p.Point("")
		p.running.Wait()
	})
	return p
}

// Point cuts every connection and leads new ones to another Redis, or to none for "".
func (p *Proxy) Point(upstream string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.upstream = upstream
	for client, server := range p.pairs {
		client.Close()
		server.Close()
	}
}

// Lose makes each reply be lost, with its connection, at that chance.
func (p *Proxy) Lose(chance float64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.chance = chance
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.mu.Lock()
		network := "tcp"
		if strings.HasPrefix(p.upstream, "/") {
			network = "unix"
		}
		server, err := net.Dial(network, p.upstream)
		if err != nil {
			client.Close()
			p.mu.Unlock()
			continue
		}
		p.pairs[client] = server
		p.mu.Unlock()
		p.running.Go(func() { p.pass(server, client, false) })
		p.running.Go(func() { p.pass(client, server, true) })
	}
}

// pass copies one direction until it breaks.
func (p *Proxy) pass(to, from net.Conn, replies bool) {
	defer to.Close()
	defer from.Close()
	if replies {
		defer p.forget(to)
	}
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil || replies && p.loses() {
			return
		}
		if _, err := to.Write(buffer[:n]); err != nil {
			return
		}
	}
}

func (p *Proxy) forget(client net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.pairs, client)
}

func (p *Proxy) loses() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.chance > 0 && rand.Float64() < p.chance
}
