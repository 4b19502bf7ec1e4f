//go:build linux

package main

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// swarm is the clients of a run. Its readers, few goroutines, read all of them.
type swarm struct {
	port     int
	protocol *protocol
	work     work
	follows  int // rooms that each client follows; 0: it only opens a connection
	clients  []*client
	readers  []*reader
	slowest  int // how many messages' last readers are looked for; 0: none
	running  sync.WaitGroup
	ended    atomic.Bool
	counted  *tally // once it has ended

	dialled    atomic.Int64 // clients that have a socket
	since      atomic.Int64 // from when on messages are measured, in micros
	openNow    atomic.Int64 // connections that are open
	joinedNow  atomic.Int64 // that follow all their rooms
	reachedNow atomic.Int64 // that have all they wait for
	reachedAt  atomic.Int64 // when the last of them had it, in micros
}

// newSwarm makes count clients that do nothing yet.
func newSwarm(port int, p *protocol, w work, count int) *swarm {
	s := &swarm{port: port, protocol: p, work: w, follows: w.Follow, clients: make([]*client, count)}
	s.since.Store(1 << 62)
	for i := range s.clients {
		s.clients[i] = &client{index: i, fd: -1, first: w.firstRoom(i), numbers: make([]uint32, w.Follow*w.sources())}
	}
	return s
}

// noFollowing has the clients open connections and follow nothing.
func (s *swarm) noFollowing() *swarm {
	s.follows = 0
	return s
}

// waitFor has each client wait for so many messages, those after number.
func (s *swarm) waitFor(count, number int) {
	for _, c := range s.clients {
		c.goal = count
		for i := range c.numbers {
			c.numbers[i] = uint32(number)
		}
	}
}

// start starts the readers.
func (s *swarm) start() error {
	for range min(len(s.clients), runtime.GOMAXPROCS(0)) {
		epoll, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
		if err != nil {
			return fmt.Errorf("epoll: %w", err)
		}
		r := &reader{swarm: s, epoll: epoll, buffer: make([]byte, headroom+readAtOnce)}
		r.slowest = make([]int64, s.slowest)
		s.readers = append(s.readers, r)
		s.running.Go(r.run)
	}
	return nil
}

// openMost is how many connections are on their way at a time: less than a
// listener's queue holds.
const openMost = 1000

// open opens all connections and returns when ready says that all are there.
func (s *swarm) open(ctx context.Context, ready *atomic.Int64) error {
	began := time.Now()
	for i, c := range s.clients {
		for int64(i)-s.openNow.Load() >= openMost {
			if err := s.pause(ctx, began, ready); err != nil {
				return err
			}
		}
		if err := c.connect(s.port); err != nil {
			return fmt.Errorf("client %d: %w", i, err)
		}
		s.dialled.Add(1)
		r := s.readers[i%len(s.readers)]
		if err := r.watch(c, syscall.EPOLL_CTL_ADD, syscall.EPOLLOUT|syscall.EPOLLIN); err != nil {
			return fmt.Errorf("watch client %d: %w", i, err)
		}
	}
	for ready.Load() < int64(len(s.clients)) {
		if err := s.pause(ctx, began, ready); err != nil {
			return err
		}
	}
	return nil
}

// joinTime is how long it may take until all clients have joined.
const joinTime = 2 * time.Minute

func (s *swarm) pause(ctx context.Context, began time.Time, ready *atomic.Int64) error {
	if time.Since(began) > joinTime {
		return fmt.Errorf("only %d of %d clients were ready within %v", ready.Load(), len(s.clients), joinTime)
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(time.Millisecond):
		return nil
	}
}

// opened is called by a reader: the client's connection is open. It returns what
// the client says first.
func (s *swarm) opened(c *client) [][]byte {
	s.openNow.Add(1)
	if s.follows == 0 {
		return nil
	}
	return s.protocol.follow(s.work.rooms(c.index))
}

// joins is called by a reader: the client follows so many more rooms.
func (s *swarm) joins(c *client, rooms int) {
	if c.follows < s.follows && rooms > 0 {
		if c.follows += rooms; c.follows >= s.follows {
			s.joinedNow.Add(1)
		}
	}
}

// reached is called by a reader: a client has all that it waits for.
func (s *swarm) reached() {
	s.reachedAt.Store(time.Now().UnixMicro())
	s.reachedNow.Add(1)
}

// messages is how many have arrived.
func (s *swarm) messages() (count int64) {
	for _, r := range s.readers {
		count += r.messages.Load()
	}
	return count
}

// await waits until so many messages have arrived, or nothing has come for as long
// as patience.
func (s *swarm) await(ctx context.Context, count int64, patience time.Duration) {
	seen, at := s.messages(), time.Now()
	for seen < count && time.Since(at) < patience && ctx.Err() == nil {
		time.Sleep(time.Millisecond)
		if now := s.messages(); now != seen {
			seen, at = now, time.Now()
		}
	}
}

// end closes the connections and returns what was counted. Ending again gives the same.
func (s *swarm) end() *tally {
	if s.counted != nil {
		return s.counted
	}
	s.ended.Store(true)
	s.running.Wait()
	for _, c := range s.clients {
		if c.fd >= 0 {
			c.close()
		}
	}
	s.counted = &tally{}
	for _, r := range s.readers {
		syscall.Close(r.epoll)
		s.counted.add(&r.tally)
	}
	return s.counted
}

// missing is how many messages at the ends of the streams have not arrived, when
// said has the number of the last that was sent in each.
func (s *swarm) missing(said []int64) (missing int64) {
	for _, c := range s.clients {
		for stream, last := range said {
			if slot := s.work.slot(c.first, int64(stream)); slot >= 0 {
				missing += last - int64(c.numbers[slot])
			}
		}
	}
	return missing
}

// raiseFiles allows this process, and those it starts, as many open files as the
// machine lets it have. It returns how many.
func raiseFiles(want int) (int, error) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0, fmt.Errorf("limit of open files: %w", err)
	}
	asked := syscall.Rlimit{Cur: uint64(want), Max: max(uint64(want), limit.Max)}
	if syscall.Setrlimit(syscall.RLIMIT_NOFILE, &asked) != nil {
		asked = syscall.Rlimit{Cur: limit.Max, Max: limit.Max}
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &asked); err != nil {
			return 0, fmt.Errorf("raise the limit of open files: %w", err)
		}
	}
	return int(asked.Cur), nil
}
