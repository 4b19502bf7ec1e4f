//go:build linux

package load

import (
	"context"
	"fmt"
	"time"

	"burble/app/bench/wire"
)

// Pacer sends the messages of a workload at its rate, from each sequence in turn.
type Pacer struct {
	work     Workload
	senders  []*sender
	starter  *client       // starts a server that generates the messages itself; otherwise nil
	Silent   bool          // true if another process sends the messages
	sent     []int64       // number of the last message of each sequence
	maxDelay time.Duration // the longest delay behind the schedule
}

// newPacer returns a pacer that sends through clients of the swarm. clientOf returns the index
// of the client that sends a sequence.
func newPacer(s *Swarm, w Workload, clientOf func(sequence int) int, run int) *Pacer {
	pace := &Pacer{work: w, sent: make([]int64, w.Sequences())}
	if s.protocol.Message == nil {
		pace.starter = s.clients[0]
		return pace
	}
	for sequence := range pace.sent {
		client := s.clients[clientOf(sequence)]
		pace.senders = append(pace.senders, newSender(s.protocol, client, sequence, sequence%w.Rooms, w.Size, run))
	}
	return pace
}

// Run sends all messages, unless ctx ends first. A marker has the time of the actual write, so that
// the pacer's own delays do not count as the server's latency.
func (p *Pacer) Run(ctx context.Context) error {
	if p.starter != nil || p.Silent {
		return p.waitForOthers(ctx)
	}
	began := time.Now()
	for i := range p.work.Messages() {
		due := began.Add(p.work.SendTime(i))
		if err := SleepUntil(ctx, due); err != nil {
			return err
		}
		now := time.Now()
		p.maxDelay = max(p.maxDelay, now.Sub(due))
		sequence := i % len(p.senders)
		if err := p.senders[sequence].send(now.UnixMicro()); err != nil {
			return fmt.Errorf("send to the server: %w", err)
		}
		p.sent[sequence]++
	}
	return Pause(ctx, time.Until(began.Add(p.work.Warmup+p.work.Duration)))
}

// waitForOthers waits while the server or another process sends the messages.
func (p *Pacer) waitForOthers(ctx context.Context) error {
	for sequence := range p.sent {
		p.sent[sequence] = int64((p.work.Messages() + p.work.Rooms - 1 - sequence) / p.work.Rooms)
	}
	if p.starter != nil {
		frame, _ := wire.ClientFrame(wire.OpText, []byte("begin"))
		if err := p.starter.write(frame); err != nil {
			return err
		}
	}
	return Pause(ctx, p.work.Warmup+p.work.Duration)
}

// SleepUntil waits until the given time, unless ctx ends first.
func SleepUntil(ctx context.Context, moment time.Time) error {
	for wait := time.Until(moment); wait > 0; wait = time.Until(moment) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		time.Sleep(min(wait, 100*time.Millisecond))
	}
	return nil
}

// Pause waits for a duration, unless ctx ends first.
func Pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// expectedDeliveries returns the number of deliveries to expect. sent has the number of messages
// that were sent in each sequence.
func expectedDeliveries(w Workload, sent []int64) (count int64) {
	receivers := w.receivers()
	for sequence, number := range sent {
		count += number * int64(receivers[sequence%w.Rooms])
	}
	return count
}
