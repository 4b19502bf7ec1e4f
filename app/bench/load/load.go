//go:build linux

package load

import (
	"context"
	"fmt"
	"time"
)

// Load is the clients of a run.
type Load struct {
	Receiving *Swarm // every client of the workload
	sending   *Swarm // equal to Receiving, unless the receiving connections cannot send
	work      Workload
}

// Open connects the clients of a workload and makes them follow their rooms. sendProtocol is for
// clients that only send. If it is nil, the receiving clients also send. The caller must call Stop
// or Finish.
func Open(ctx context.Context, port int, receiveProtocol, sendProtocol *Protocol, w Workload) (l *Load, err error) {
	l = &Load{work: w, Receiving: NewSwarm(port, receiveProtocol, w, w.Clients)}
	l.sending = l.Receiving
	defer func() {
		if err != nil {
			l.Stop()
		}
	}()
	if w.Sequences() == 1 && w.Messages() < 100_000 {
		l.Receiving.slowest = w.Messages() + 1
	}
	if err := l.Receiving.Start(); err != nil {
		return nil, err
	}
	if err := l.Receiving.connect(ctx, &l.Receiving.joinedCount); err != nil {
		return nil, fmt.Errorf("%w; first error: %s", err, l.Receiving.Stop().FirstError)
	}
	if sendProtocol != nil {
		l.sending = NewSwarm(port, sendProtocol, w, min(w.Sequences(), maxSenders)).WithoutFollows()
		if err := l.sending.Start(); err != nil {
			return nil, err
		}
		if err := l.sending.connect(ctx, &l.sending.openCount); err != nil {
			return nil, err
		}
	}
	return l, nil
}

// Stop closes all connections. It may be called more than once.
func (l *Load) Stop() {
	l.Receiving.Stop()
	l.sending.Stop()
}

// Pacer returns the pacer of a run. The keys of its messages contain the number of the run, so that
// no two runs use the same keys.
func (l *Load) Pacer(run int) *Pacer {
	if l.sending != l.Receiving {
		inTurn := func(sequence int) int { return sequence % len(l.sending.clients) }
		return newPacer(l.sending, l.work, inTurn, run)
	}
	return newPacer(l.Receiving, l.work, l.work.sendingClient, run)
}

// StartMeasuring makes the receivers measure messages that are sent at least a millisecond from
// now, so that none of them can have arrived before the call.
func (l *Load) StartMeasuring() {
	l.Receiving.measureFrom.Store(time.Now().Add(time.Millisecond).UnixMicro())
}

// Await waits until everything that the pacer sent has arrived, or nothing has arrived for the
// duration patience.
func (l *Load) Await(ctx context.Context, pace *Pacer, patience time.Duration) {
	l.Receiving.await(ctx, expectedDeliveries(l.work, pace.sent), patience)
}

// Burst sends messages of the first sequence as fast as the server reads them, and waits until the
// clients have received them.
func (l *Load) Burst(ctx context.Context, messages int, patience time.Duration) error {
	sender := newSender(l.Receiving.protocol, l.Receiving.clients[0], 0, 0, l.work.Size, 0)
	for range messages {
		if err := sender.send(time.Now().UnixMicro()); err != nil {
			return err
		}
	}
	l.Receiving.await(ctx, int64(messages), patience)
	if received := l.Receiving.Messages(); received != int64(messages) {
		return fmt.Errorf("only %d of %d messages arrived; first error: %s", received, messages, l.Receiving.Stop().FirstError)
	}
	return nil
}
