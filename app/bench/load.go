//go:build linux

package main

import (
	"context"
	"fmt"
	"time"
)

// load is the clients of a run: those that receive, and those that send.
type load struct {
	receiving *swarm
	sending   *swarm // the same as receiving, unless its connections cannot send
	work      workload
}

// openLoad opens the clients of a workload and has them follow their rooms. sending is the
// protocol of clients that only send; if it is nil, the receiving ones send. The caller must
// call stop or finish.
func openLoad(ctx context.Context, port int, receiving, sending *protocol, w workload) (l *load, err error) {
	l = &load{work: w, receiving: newSwarm(port, receiving, w, w.Clients)}
	l.sending = l.receiving
	defer func() {
		if err != nil {
			l.stop()
		}
	}()
	if w.sequences() == 1 && w.messages() < 100_000 {
		l.receiving.slowest = w.messages() + 1
	}
	if err := l.receiving.start(); err != nil {
		return nil, err
	}
	if err := l.receiving.connect(ctx, &l.receiving.joinedCount); err != nil {
		return nil, fmt.Errorf("%w; first error: %s", err, l.receiving.stop().FirstError)
	}
	if sending != nil {
		l.sending = newSwarm(port, sending, w, min(w.sequences(), maxSenders)).withoutFollows()
		if err := l.sending.start(); err != nil {
			return nil, err
		}
		if err := l.sending.connect(ctx, &l.sending.openCount); err != nil {
			return nil, err
		}
	}
	return l, nil
}

// stop closes the connections.
func (l *load) stop() {
	l.receiving.stop()
	l.sending.stop()
}

// pacer returns the pacer of a run, whose number makes the keys of its messages differ from
// those of other runs.
func (l *load) pacer(run int) *pacer {
	if l.sending != l.receiving {
		inTurn := func(sequence int) int { return sequence % len(l.sending.clients) }
		return newPacer(l.sending, l.work, inTurn, run)
	}
	return newPacer(l.receiving, l.work, l.work.sendingClient, run)
}

// startMeasuring has the receivers measure the messages sent from one millisecond on, so that
// none of them has arrived anywhere yet.
func (l *load) startMeasuring() {
	l.receiving.measureFrom.Store(time.Now().Add(time.Millisecond).UnixMicro())
}

// await returns when everything the pacer sent has arrived, or nothing has for as long as patience.
func (l *load) await(ctx context.Context, pace *pacer, patience time.Duration) {
	l.receiving.await(ctx, expectedDeliveries(l.work, pace.sent), patience)
}

// burst sends messages of the first sequence as fast as the server takes them, and returns
// when they have come back.
func (l *load) burst(ctx context.Context, messages int, patience time.Duration) error {
	sender := newSender(l.receiving.protocol, l.receiving.clients[0], 0, 0, l.work.Size, 0)
	for range messages {
		if err := sender.send(time.Now().UnixMicro()); err != nil {
			return err
		}
	}
	l.receiving.await(ctx, int64(messages), patience)
	if received := l.receiving.messages(); received != int64(messages) {
		return fmt.Errorf("only %d of %d messages came back; first error: %s", received, messages, l.receiving.stop().FirstError)
	}
	return nil
}
