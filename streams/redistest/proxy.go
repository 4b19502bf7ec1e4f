package redistest

import (
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// A Proxy forwards connections to a server, and fails as networks do. It does not look
// at what it forwards, so the server may be a Redis or a Burble.
type Proxy struct {
	Addr string // 127.0.0.1:port

	listener net.Listener
	running  sync.WaitGroup

	mu       sync.Mutex
	upstream string // "": connections are refused
	faults   Faults
	changed  chan struct{}         // closed when faults change
	pairs    map[net.Conn]net.Conn // client to server
}

// Faults are the errors that the proxy injects. A probability applies to each piece of data
// that the server sends: roughly, to each reply.
type Faults struct {
	Drop    float64       // probability that a reply is lost and the connection ends
	Sever   float64       // probability that the connection ends within a reply
	Swallow float64       // probability that this reply and all after it are lost, and the connection stays
	Delay   time.Duration // of each piece, either way
	Stall   bool          // nothing passes, and connections stay
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
		p.SetFaults(Faults{})
		p.Reroute("")
		p.running.Wait()
	})
	return p
}

// Reroute closes every connection and forwards new ones to another server; for "", to none.
func (p *Proxy) Reroute(upstream string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.upstream = upstream
	p.cut()
}

// RouteNew forwards new connections to another server, and leaves those that exist.
func (p *Proxy) RouteNew(upstream string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.upstream = upstream
}

// Cut closes every connection.
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

// SetFaults replaces the faults, for existing connections too.
func (p *Proxy) SetFaults(faults Faults) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = faults
	close(p.changed)
	p.changed = make(chan struct{})
}

// DropReplies sets Faults.Drop alone.
func (p *Proxy) DropReplies(probability float64) { p.SetFaults(Faults{Drop: probability}) }

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
		p.running.Go(func() { p.copy(server, client, false) })
		p.running.Go(func() { p.copy(client, server, true) })
	}
}

// copy forwards one direction until the connection ends.
func (p *Proxy) copy(to, from net.Conn, replies bool) {
	defer to.Close()
	defer from.Close()
	if replies {
		defer p.remove(to)
	}
	buffer := make([]byte, 16<<10)
	for swallowed := false; ; {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		faults := p.awaitFlow()
		passed := n
		if replies {
			swallowed = swallowed || happens(faults.Swallow)
			switch {
			case swallowed:
				continue
			case happens(faults.Drop):
				return
			case happens(faults.Sever):
				passed = rand.N(n)
			}
		}
		if _, err := to.Write(buffer[:passed]); err != nil || passed < n {
			return
		}
	}
}

// awaitFlow waits while the proxy stalls, and for the delay, and returns the faults.
func (p *Proxy) awaitFlow() Faults {
	for {
		p.mu.Lock()
		faults, changed := p.faults, p.changed
		p.mu.Unlock()
		if !faults.Stall {
			time.Sleep(faults.Delay)
			return faults
		}
		<-changed
	}
}

func happens(probability float64) bool { return probability > 0 && rand.Float64() < probability }

func (p *Proxy) remove(client net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.pairs, client)
}
