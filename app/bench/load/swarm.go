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

// Swarm is a set of clients. One receiver for each processor reads them.
type Swarm struct {
	port      int
	protocol  *Protocol
	work      Workload
	follows   int // number of rooms that each client follows; if 0, clients only open connections
	clients   []*client
	receivers []*receiver
	slowest   int // number of messages for which Counts.slowest is measured; may be 0
	running   sync.WaitGroup
	stopped   atomic.Bool
	total     *Counts // sum of all receivers' counts; nil until Stop

	dialed      atomic.Int64 // clients with a socket
	measureFrom atomic.Int64 // messages sent from this time on are measured; microseconds since 1970
	openCount   atomic.Int64 // open connections
	joinedCount atomic.Int64 // clients that follow all their rooms
	goalCount   atomic.Int64 // clients that have received all messages for which they wait
	goalAt      atomic.Int64 // when the last client reached its goal; microseconds since 1970
}

// NewSwarm returns a swarm of unconnected clients.
func NewSwarm(port int, p *Protocol, w Workload, count int) *Swarm {
	s := &Swarm{port: port, protocol: p, work: w, follows: w.Follow, clients: make([]*client, count)}
	s.measureFrom.Store(1 << 62)
	for i := range s.clients {
		s.clients[i] = &client{index: i, fd: -1, firstRoom: w.firstRoom(i), numbers: make([]uint32, w.Follow*w.senders())}
	}
	return s
}

// WithoutFollows makes the clients open connections without following rooms.
func (s *Swarm) WithoutFollows() *Swarm {
	s.follows = 0
	return s
}

// SetGoal makes each client wait for the count messages after number.
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

// maxConnecting is the maximum number of connections that are being opened at a time. It is less
// than the length of a listener's queue.
const maxConnecting = 1000

// connect opens all connections, and waits until the counter reaches the number of clients.
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

// ConnectAll opens all connections, and returns how long that took.
func (s *Swarm) ConnectAll(ctx context.Context) (time.Duration, error) {
	began := time.Now()
	err := s.connect(ctx, &s.openCount)
	return time.Since(began), err
}

// ConnectToGoal opens all connections, and returns how long it took until every client had received
// all messages for which it waits.
func (s *Swarm) ConnectToGoal(ctx context.Context) (time.Duration, error) {
	began := time.Now()
	err := s.connect(ctx, &s.goalCount)
	return time.UnixMicro(s.goalAt.Load()).Sub(began), err
}

// connectTimeout is the maximum time until all clients are ready.
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

// opened counts an open connection, and returns the client's first frames. Receivers call it.
func (s *Swarm) opened(c *client) [][]byte {
	s.openCount.Add(1)
	if s.follows == 0 {
		return nil
	}
	return s.protocol.Follow(s.work.rooms(c.index))
}

// confirmFollows counts the rooms whose follow the server has confirmed. Receivers call it.
func (s *Swarm) confirmFollows(c *client, rooms int) {
	if c.confirmedFollows < s.follows && rooms > 0 {
		if c.confirmedFollows += rooms; c.confirmedFollows >= s.follows {
			s.joinedCount.Add(1)
		}
	}
}

// reachGoal counts a client that has received all messages for which it waits. Receivers call it.
func (s *Swarm) reachGoal() {
	s.goalAt.Store(time.Now().UnixMicro())
	s.goalCount.Add(1)
}

// Joined returns the number of clients that follow all their rooms, and the number of clients.
func (s *Swarm) Joined() (count, clients int) { return int(s.joinedCount.Load()), len(s.clients) }

// Messages returns the number of messages that have arrived.
func (s *Swarm) Messages() (count int64) {
	for _, r := range s.receivers {
		count += r.messages.Load()
	}
	return count
}

// await waits until count messages have arrived, or none has arrived for the duration patience.
func (s *Swarm) await(ctx context.Context, count int64, patience time.Duration) {
	seen, at := s.Messages(), time.Now()
	for seen < count && time.Since(at) < patience && ctx.Err() == nil {
		time.Sleep(time.Millisecond)
		if now := s.Messages(); now != seen {
			seen, at = now, time.Now()
		}
	}
}

// Stop closes the connections and returns the counts. Further calls return the same counts.
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

// Missing returns how many messages did not arrive at the end of each sequence, summed over all clients
// and sequences. sent has the number of the last message in each sequence.
func (s *Swarm) Missing(sent []int64) (missing int64) {
	for _, c := range s.clients {
		for sequence, last := range sent {
			if slot := s.work.slot(c.firstRoom, int64(sequence)); slot >= 0 {
				missing += last - int64(c.numbers[slot])
			}
		}
	}
	return missing
}
