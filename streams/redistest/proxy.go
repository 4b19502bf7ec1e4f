package redistest

import (
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// Proxy stands between a client and a server, and fails as networks do. What it
// carries is nothing to it, so it may stand before a Redis or a Burble.
type Proxy struct {
	Addr string // 127.0.0.1:port

	listener net.Listener
	running  sync.WaitGroup

	mu       sync.Mutex
	upstream string // "": nobody is there
	weather  Weather
	changed  chan struct{}         // closed when the weather changes
	pairs    map[net.Conn]net.Conn // client to server
}

// Weather is what goes wrong on the way. The chances are for each reply, or rather
// for each piece of the server's that arrives at once.
type Weather struct {
	Lose    float64       // the chance that it is lost, with its connection
	Sever   float64       // the chance that the connection ends within it
	Swallow float64       // the chance that it and all after it are lost, and the connection stays
	Delay   time.Duration // by which each piece is late, either way
	Hold    bool          // nothing passes, and nobody is told
}

// StartProxy starts a proxy to the address, which may be a Unix socket. It ends with the test.
func StartProxy(t testing.TB, upstream string) *Proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{
		Addr: listener.Addr().String(), listener: listener, upstream: upstream,
		changed: make(chan struct{}), pairs: make(map[net.Conn]net.Conn),
	}
	p.running.Go(p.accept)
	t.Cleanup(func() {
		listener.Close()
		p.Suffer(Weather{})
		p.Point("")
		p.running.Wait()
	})
	return p
}

// Point cuts every connection and leads new ones to another server, or to none for "".
func (p *Proxy) Point(upstream string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.upstream = upstream
	p.cut()
}

// Cut cuts every connection.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut()
}

func (p *Proxy) cut() {
	for client, server := range p.pairs {
		client.Close()
		server.Close()
	}
}

// Lead leads new connections to another server, and leaves those there are.
func (p *Proxy) Lead(upstream string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.upstream = upstream
}

// Suffer changes the weather.
func (p *Proxy) Suffer(weather Weather) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.weather = weather
	close(p.changed)
	p.changed = make(chan struct{})
}

// Lose makes each reply be lost, with its connection, at that chance.
func (p *Proxy) Lose(chance float64) { p.Suffer(Weather{Lose: chance}) }

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
	buffer := make([]byte, 16<<10)
	for swallowed := false; ; {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		weather := p.awaitPassage()
		passed := n
		if replies {
			swallowed = swallowed || happens(weather.Swallow)
			switch {
			case swallowed:
				continue
			case happens(weather.Lose):
				return
			case happens(weather.Sever):
				passed = rand.N(n)
			}
		}
		if _, err := to.Write(buffer[:passed]); err != nil || passed < n {
			return
		}
	}
}

// awaitPassage waits until the weather lets something pass, and returns it.
func (p *Proxy) awaitPassage() Weather {
	for {
		p.mu.Lock()
		weather, changed := p.weather, p.changed
		p.mu.Unlock()
		if !weather.Hold {
			time.Sleep(weather.Delay)
			return weather
		}
		<-changed
	}
}

func happens(chance float64) bool { return chance > 0 && rand.Float64() < chance }

func (p *Proxy) forget(client net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.pairs, client)
}
