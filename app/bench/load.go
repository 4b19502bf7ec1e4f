//go:build linux

package main

import (
	"context"
	"fmt"
)

// load is the clients of a run: those that receive, and those that send.
type load struct {
	server    *server
	work      workload
	receiving *swarm
	sending   *swarm // the same as receiving, unless its connections cannot send
}

// newLoad opens the clients and has them follow their rooms.
func newLoad(ctx context.Context, s *server, w workload) (l *load, err error) {
	l = &load{server: s, work: w, receiving: newSwarm(s.port, s.protocol, w, w.Clients)}
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
	if s.sending != nil {
		l.sending = newSwarm(s.port, s.sending, w, min(w.sequences(), maxSenders)).withoutFollows()
		if err := l.sending.start(); err != nil {
			return nil, err
		}
		if err := l.sending.connect(ctx, &l.sending.openCount); err != nil {
			return nil, err
		}
	}
	return l, nil
}

func (l *load) stop() {
	l.receiving.stop()
	l.sending.stop()
}

// pacer returns the pacer of a run.
func (l *load) pacer(run int) *pacer {
	if l.sending != l.receiving {
		inTurn := func(sequence int) int { return sequence % len(l.sending.clients) }
		return newPacer(l.server.sending, l.sending, l.work, inTurn, run)
	}
	return newPacer(l.server.protocol, l.receiving, l.work, l.work.sendingClient, run)
}
