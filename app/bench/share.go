//go:build linux

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// A process may have so many open files, and a connection is one at either end.
// With more clients than that, they are shared out: each share is this program
// again with a Burble of its own, and all of them have one Redis. What is said by a
// client of the first is heard by all.

// share is what such a process is told.
type share struct {
	Index     int
	Work      work
	Redis     string // its socket
	RedisPIDs []int  // for the one that counts its CPU
	Burble    string
	Patience  time.Duration
}

// spareFiles are those of a process that are not connections of clients.
const spareFiles = 1000

// shares is how many processes it takes.
func (b *bench) shares(w work) int { return (w.Clients + b.perProcess - 1) / b.perProcess }

// deliverInShares is deliver with more clients than one process can have.
func (b *bench) deliverInShares(ctx context.Context, p *plan) (*result, error) {
	if p.target.name != "burble" || p.work.Rooms > 1 || p.work.streams() > 1 {
		return nil, fmt.Errorf("a process may have %d connections here, and only a Burble with one source can be several", b.perProcess)
	}
	r, err := startRedis(ctx)
	if err != nil {
		return nil, err
	}
	defer r.end()
	program, err := b.buildBurble(ctx)
	if err != nil {
		return nil, err
	}
	count := b.shares(p.work)
	sharers := make([]*sharer, count)
	defer func() {
		for _, s := range sharers {
			s.end()
		}
	}()
	for i := range sharers {
		w := p.work
		w.Clients = (i+1)*p.work.Clients/count - i*p.work.Clients/count
		w.Guests = min(w.Guests, w.Clients)
		told := share{Index: i, Work: w, Redis: r.socket, Burble: program, Patience: b.patience}
		if i == 0 {
			told.RedisPIDs = r.pids
		}
		if sharers[i], err = startSharer(told); err != nil {
			return nil, err
		}
	}
	for _, step := range []func(*sharer) error{(*sharer).joined, (*sharer).begin, (*sharer).done} {
		for _, s := range sharers {
			if err := step(s); err != nil {
				return nil, err
			}
		}
	}
	return together(p, sharers), nil
}

// sharer is one of the processes.
type sharer struct {
	command *exec.Cmd
	input   io.WriteCloser
	output  *json.Decoder
	said    bytes.Buffer
	result  result
}

func startSharer(told share) (*sharer, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(told)
	if err != nil {
		return nil, err
	}
	s := &sharer{command: exec.Command(self, "share", string(text))}
	s.command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	s.command.Stderr = &s.said
	output, err := s.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	s.output = json.NewDecoder(output)
	if s.input, err = s.command.StdinPipe(); err != nil {
		return nil, err
	}
	return s, s.command.Start()
}

// joined waits until all of its clients have joined.
func (s *sharer) joined() error { return s.read(new(bool)) }

// begin has it go on.
func (s *sharer) begin() error {
	_, err := fmt.Fprintln(s.input)
	return err
}

// done waits for its result.
func (s *sharer) done() error { return s.read(&s.result) }

func (s *sharer) read(value any) error {
	if err := s.output.Decode(value); err != nil {
		s.command.Process.Kill()
		s.command.Wait()
		return fmt.Errorf("a share of the clients: %w\n%s", err, &s.said)
	}
	return nil
}

// end ends the process, and the Burble that it has started with it.
func (s *sharer) end() {
	if s != nil && s.command.Process != nil {
		s.command.Process.Kill()
		s.command.Wait()
	}
}

// together is what all of them have measured. Of the times it is the worst of theirs.
func together(p *plan, sharers []*sharer) *result {
	sum := sharers[0].result                                           // all of Redis' commands, and its connections
	sum.Work, sum.Connections = p.work, sum.Connections-len(sharers)+1 // the others' own
	server, redis, self, memory := 0.0, sum.Redis*float64(sum.Deliveries), 0.0, 0.0
	for i, s := range sharers {
		next := &s.result
		server += next.Server * float64(next.Deliveries)
		self += next.Self * float64(next.Deliveries)
		memory += next.Memory * float64(next.Work.Clients)
		if i == 0 {
			continue
		}
		sum.Deliveries += next.Deliveries
		sum.PerSecond += next.PerSecond
		sum.P50, sum.P99, sum.Max = max(sum.P50, next.P50), max(sum.P99, next.P99), max(sum.Max, next.Max)
		sum.LastP50, sum.Late = max(sum.LastP50, next.LastP50), max(sum.Late, next.Late)
		sum.Resident += next.Resident
		sum.Missing += next.Missing
		sum.tally.add(&next.tally)
	}
	deliveries := max(1, float64(sum.Deliveries))
	sum.Server, sum.Redis, sum.Self = server/deliveries, redis/deliveries, self/deliveries
	sum.Memory = memory / float64(p.work.Clients)
	return &sum
}

// serveShare is the life of such a process.
func serveShare(ctx context.Context, args []string) error {
	var told share
	if len(args) != 1 {
		return errors.New("a share is told everything in one argument")
	}
	if err := json.Unmarshal([]byte(args[0]), &told); err != nil {
		return err
	}
	b := &bench{share: &told, burble: told.Burble, patience: told.Patience, perProcess: told.Work.Clients}
	got, err := b.deliver(ctx, &plan{target: targets[0], mode: "idle", work: told.Work}, 0)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(got)
}

// await says that all clients have joined, and waits until everybody's have.
func (s *share) await() error {
	fmt.Println("true")
	_, err := bufio.NewReader(os.Stdin).ReadString('\n')
	return err
}
