//go:build linux

package load

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Swarm is a set of clients, read by one receiver per processor.
type Swarm struct {
	port      int
	protocol  *Protocol
	work      Workload
	follows   int // rooms that each client follows; 0: it only opens a connection
	clients   []*client
	receivers []*receiver
	slowest   int // up to which message number the last receiver's latency is measured; 0: it is not
	running   sync.WaitGroup
	stopped   atomic.Bool
	total     *Counts // of all receivers, once stopped

	dialed      atomic.Int64 // clients with a socket
	measureFrom atomic.Int64 // messages sent from then on are measured, in microseconds since 1970
	openCount   atomic.Int64 // open connections
	joinedCount atomic.Int64 // clients that follow all their rooms
	goalCount   atomic.Int64 // clients that received all they wait for
	goalAt      atomic.Int64 // when the last of them did, in microseconds since 1970
}

// NewSwarm returns a swarm of unconnected clients.
func NewSwarm(port int, p *Protocol, w Workload, count int) *Swarm {
	s := &Swarm{port: port, protocol: p, work: w, follows: w.Follow, clients: make([]*client, count)}
	s.measureFrom.Store(1 << 62)
	for i := range s.clients {
		s.clients[i] = &client{index: i, fd: -1, first: w.firstRoom(i), numbers: make([]uint32, w.Follow*w.senders())}
	}
	return s
}

// WithoutFollows has the clients open connections and follow nothing.
func (s *Swarm) WithoutFollows() *Swarm {
	s.follows = 0
	return s
}

// SetGoal has each client wait for count messages, those after number.
func (s *Swarm) SetGoal(count, number int) {
	for _, c := range s.clients {
		c.goal = count
		for i := range c.numbers {
			c.numbers[i] = uint32(number)
		}
	}
}

// Start starts the receivers. The caller must call Stop.
func (s *Swarm) Start() error {
	for range min(len(s.clients), runtime.GOMAXPROCS(0)) {
		epoll, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
		if err != nil {
			return fmt.Errorf("epoll: %w", err)
		}
		r := &receiver{swarm: s, epoll: epoll, buffer: make([]byte, headroom+readSize)}
		r.slowest = make([]int64, s.slowest)
		s.receivers = append(s.receivers, r)
		s.running.Go(r.run)
	}
	return nil
}

// maxConnecting is how many connections are being opened at a time, which is less than the
// queue of a listener holds.
const maxConnecting = 1000

// connect opens all connections, and returns when the counter has reached the number of clients.
func (s *Swarm) connect(ctx context.Context, counter *atomic.Int64) error {
	began := time.Now()
	for i, c := range s.clients {
		for int64(i)-s.openCount.Load() >= maxConnecting {
			if err := s.pause(ctx, began, counter); err != nil {
				return err
			}
		}
		if err := c.connect(s.port); err != nil {
			return fmt.Errorf("client %d: %w", i, err)
		}
		s.dialed.Add(1)
		r := s.receivers[i%len(s.receivers)]
		if err := r.watch(c, syscall.EPOLL_CTL_ADD, syscall.EPOLLOUT|syscall.EPOLLIN); err != nil {
			return fmt.Errorf("watch client %d: %w", i, err)
		}
	}
	for counter.Load() < int64(len(s.clients)) {
		if err := s.pause(ctx, began, counter); err != nil {
			return err
		}
	}
	return nil
}

// ConnectAll returns how long it takes to open all connections.
func (s *Swarm) ConnectAll(ctx context.Context) (time.Duration, error) {
	began := time.Now()
	err := s.connect(ctx, &s.openCount)
	return time.Since(began), err
}

// ConnectToGoal opens all connections, and returns how long it takes until every client has
// received what it waits for.
func (s *Swarm) ConnectToGoal(ctx context.Context) (time.Duration, error) {
	began := time.Now()
	err := s.connect(ctx, &s.goalCount)
	return time.UnixMicro(s.goalAt.Load()).Sub(began), err
}

// connectTimeout is how long it may take until all clients are ready.
const connectTimeout = 2 * time.Minute

func (s *Swarm) pause(ctx context.Context, began time.Time, counter *atomic.Int64) error {
	if time.Since(began) > connectTimeout {
		return fmt.Errorf("only %d of %d clients were ready within %v", counter.Load(), len(s.clients), connectTimeout)
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(time.Millisecond):
		return nil
	}
}

// opened is called by a receiver when a connection is open. It returns the client's first frames.
func (s *Swarm) opened(c *client) [][]byte {
	s.openCount.Add(1)
	if s.follows == 0 {
		return nil
	}
	return s.protocol.Follow(s.work.rooms(c.index))
}

// confirmFollows is called by a receiver when the server confirmed follows of some rooms.
func (s *Swarm) confirmFollows(c *client, rooms int) {
	if c.follows < s.follows && rooms > 0 {
		if c.follows += rooms; c.follows >= s.follows {
			s.joinedCount.Add(1)
		}
	}
}

// reachGoal is called by a receiver when a client has received all it waits for.
func (s *Swarm) reachGoal() {
	s.goalAt.Store(time.Now().UnixMicro())
	s.goalCount.Add(1)
}

// Joined returns how many clients follow all their rooms, and how many clients there are.
func (s *Swarm) Joined() (count, clients int) { return int(s.joinedCount.Load()), len(s.clients) }

// Messages returns how many messages have arrived.
func (s *Swarm) Messages() (count int64) {
	for _, r := range s.receivers {
		count += r.messages.Load()
	}
	return count
}

// await returns when count messages have arrived, or when none has arrived for the time patience.
func (s *Swarm) await(ctx context.Context, count int64, patience time.Duration) {
	seen, at := s.Messages(), time.Now()
	for seen < count && time.Since(at) < patience && ctx.Err() == nil {
		time.Sleep(time.Millisecond)
		if now := s.Messages(); now != seen {
			seen, at = now, time.Now()
		}
	}
}

// Stop closes the connections and returns what was counted. Stopping again returns the same.
func (s *Swarm) Stop() *Counts {
	if s.total != nil {
		return s.total
	}
	s.stopped.Store(true)
	s.running.Wait()
	for _, c := range s.clients {
		if c.fd >= 0 {
			c.close()
		}
	}
	s.total = &Counts{}
	for _, r := range s.receivers {
		syscall.Close(r.epoll)
		s.total.add(&r.Counts)
	}
	return s.total
}

// Missing returns how many messages at the ends of the sequences have not arrived. sent has
// the number of the last message of each sequence.
func (s *Swarm) Missing(sent []int64) (missing int64) {
	for _, c := range s.clients {
		for sequence, last := range sent {
			if slot := s.work.slot(c.first, int64(sequence)); slot >= 0 {
				missing += last - int64(c.numbers[slot])
			}
		}
	}
	return missing
}
