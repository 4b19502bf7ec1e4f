package redistest

import (
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// A Proxy forwards connections to a server, and can fail like a network. It does not parse the data,
// so the server may be a Redis or a Burble.
type Proxy struct {
	Addr string // 127.0.0.1:port

	listener net.Listener
	running  sync.WaitGroup

	mu       sync.Mutex
	upstream string // if empty, new connections are closed at once
	faults   Faults
	changed  chan struct{}         // closed when faults change
	pairs    map[net.Conn]net.Conn // client to server
}

// Faults are the faults that a Proxy injects. Probabilities apply to each read of data from the server,
// which usually returns one reply.
type Faults struct {
	Drop    float64       // probability that the reply is lost and the connection is closed
	Sever   float64       // probability that the connection is closed in the middle of the reply
	Swallow float64       // probability that this and all later replies are lost, and the connection stays open
	Delay   time.Duration // delay of all data, in both directions
	Stall   bool          // whether to forward nothing, but keep connections open
}

// StartProxy starts a Proxy to the upstream address, which may be the path of a Unix socket. The Proxy
// stops at the end of the test.
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

// Reroute closes all connections, and forwards new ones to another server. If upstream is "", it
// closes new ones too.
func (p *Proxy) Reroute(upstream string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.upstream = upstream
	p.cut()
}

// RouteNew forwards new connections to another server. It does not change existing ones.
func (p *Proxy) RouteNew(upstream string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.upstream = upstream
}

// Cut closes all connections.
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

// SetFaults replaces the faults, even for existing connections.
func (p *Proxy) SetFaults(faults Faults) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = faults
	close(p.changed)
	p.changed = make(chan struct{})
}

// DropReplies sets Faults.Drop, and resets the other faults.
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

// copy forwards data in one direction until the connection ends.
func (p *Proxy) copy(to, from net.Conn, replies bool) {
	if replies {
		defer p.remove(to)
	}
	pieces := make(chan piece, 16)
	go readPieces(from, pieces)
	defer func() {
		to.Close()
		from.Close()
		for range pieces { // until readPieces has ended
		}
	}()
	for swallowed := false; ; {
		next, more := <-pieces
		if !more {
			return
		}
		data, n := next.data, len(next.data)
		faults := p.awaitFlow(next.at)
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
		if _, err := to.Write(data[:passed]); err != nil || passed < n {
			return
		}
	}
}

// A piece is the data of one read, and the time at which it arrived.
type piece struct {
	data []byte
	at   time.Time
}

// readPieces sends arriving data to the channel, and closes the channel at the end. As in a network, one
// piece's delay does not add to the next one's.
func readPieces(from net.Conn, pieces chan<- piece) {
	defer close(pieces)
	for {
		data := make([]byte, 16<<10)
		n, err := from.Read(data)
		if err != nil {
			return
		}
		pieces <- piece{data[:n], time.Now()}
	}
}

// awaitFlow waits while Stall is set, and then until Delay has passed since the data arrived. It returns
// the faults.
func (p *Proxy) awaitFlow(arrived time.Time) Faults {
	for {
		p.mu.Lock()
		faults, changed := p.faults, p.changed
		p.mu.Unlock()
		if !faults.Stall {
			time.Sleep(time.Until(arrived.Add(faults.Delay)))
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
