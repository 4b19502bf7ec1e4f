//go:build linux

package main

import (
	"context"
	"fmt"
	"time"
)

// deliver has clients follow rooms, and messages sent in them: fan-out, many rooms,
// a quiet room and idle connections differ in numbers only.
func (b *bench) deliver(ctx context.Context, p *plan, run int) (*result, error) {
	w := p.work
	w.oneSource = p.target.name == "floor"
	if b.shares(w) > 1 {
		return b.deliverInShares(ctx, p)
	}
	r, err := b.redis(ctx)
	if err != nil {
		return nil, err
	}
	defer r.end()
	s, err := p.target.launch(ctx, b, w, r)
	if err != nil {
		return nil, err
	}
	defer s.end()
	fresh, err := sumOf(s.pids, resident)
	if err != nil {
		return nil, err
	}
	c, err := gather(ctx, s, w)
	if err != nil {
		return nil, err
	}
	defer c.end()
	b.progress.follow(c.readers)
	if err := pause(ctx, w.Settle); err != nil {
		return nil, err
	}
	joined, err := sumOf(s.pids, resident)
	if err != nil {
		return nil, err
	}
	if b.share != nil {
		if err := b.share.await(); err != nil {
			return nil, err
		}
	}
	got := &result{Target: p.target.name, Mode: p.mode, Work: w, Memory: float64(joined-fresh) / float64(w.Clients)}
	start := func() (finish func() error) { return b.profiling(ctx, p) }
	return got, b.measure(ctx, c, r, got, run, start)
}

// measure speaks to the crowd and reads the meters. It calls begin when the warming up
// is over, and what that returns when everything has arrived.
func (b *bench) measure(ctx context.Context, c *crowd, r *redisServer, got *result, run int, begin func() func() error) error {
	pace := c.pacer(run)
	pace.mute = b.share != nil && b.share.Index > 0
	spoken := make(chan error, 1)
	go func() { spoken <- pace.run(ctx) }()
	err := pause(ctx, c.work.Warm)
	before, err := c.server.read(ctx, r, err)
	// A message of this moment must not have arrived anywhere yet.
	c.readers.since.Store(time.Now().Add(time.Millisecond).UnixMicro())
	finish := begin()
	if said := <-spoken; err == nil {
		err = said
	}
	if err != nil {
		return err
	}
	c.readers.await(ctx, expected(c.work, pace.said), b.patience)
	after, err := c.server.read(ctx, r, finish())
	if err != nil {
		return err
	}
	if got.Connections, err = r.connections(ctx); err != nil {
		return err
	}
	if got.Resident, err = sumOf(c.server.pids, resident); err != nil {
		return err
	}
	c.count(got, pace)
	got.spent = after.since(before, got.Deliveries, int64(c.work.Lasts.Seconds()*float64(c.work.Rate)))
	return nil
}

// count ends the clients, and takes over what they have counted.
func (c *crowd) count(got *result, pace *pacer) {
	c.end()
	got.tally = *c.readers.end()
	if c.speakers != c.readers {
		got.Refused += c.speakers.end().Refused
		got.Closed += c.speakers.end().Closed
	}
	got.Deliveries = got.latency.count
	took := time.Duration(got.lastAt-c.readers.since.Load()) * time.Microsecond
	got.PerSecond = float64(got.Deliveries) / max(took, c.work.Lasts).Seconds()
	got.P50, got.P99, got.Max = got.latency.quantile(0.5), got.latency.quantile(0.99), got.latency.max()
	got.LastP50 = lastReader(got.slowest)
	got.Missing = c.readers.missing(pace.said)
	got.Late = pace.late
}

// lastReader is the median of the latencies of the messages' last readers.
func lastReader(slowest []int64) time.Duration {
	var h histogram
	for _, micros := range slowest {
		if micros > 0 {
			h.add(micros)
		}
	}
	return h.quantile(0.5)
}

// crowd is the clients of a run, and who speaks to them.
type crowd struct {
	server   *server
	work     work
	readers  *swarm
	speakers *swarm // the readers, unless they cannot speak
}

// gather opens the clients and has them follow their rooms.
func gather(ctx context.Context, s *server, w work) (c *crowd, err error) {
	c = &crowd{server: s, work: w, readers: newSwarm(s.port, s.protocol, w, w.Clients)}
	c.speakers = c.readers
	defer func() {
		if err != nil {
			c.end()
		}
	}()
	if w.streams() == 1 && w.messages() < 100_000 {
		c.readers.slowest = w.messages() + 1
	}
	if err := c.readers.start(); err != nil {
		return nil, err
	}
	if err := c.readers.open(ctx, &c.readers.joinedNow); err != nil {
		return nil, fmt.Errorf("%w; it said: %s", err, c.readers.end().Said)
	}
	if s.speaking != nil {
		c.speakers = newSwarm(s.port, s.speaking, w, min(w.streams(), sourcesMost)).noFollowing()
		if err := c.speakers.start(); err != nil {
			return nil, err
		}
		if err := c.speakers.open(ctx, &c.speakers.openNow); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func (c *crowd) end() {
	c.readers.end()
	c.speakers.end()
}

// pacer is what speaks to the crowd.
func (c *crowd) pacer(run int) *pacer {
	if c.speakers != c.readers {
		turn := func(stream int) int { return stream % len(c.speakers.clients) }
		return newPacer(c.server.speaking, c.speakers, c.work, turn, run)
	}
	return newPacer(c.server.protocol, c.readers, c.work, c.work.speaker, run)
}

// pause waits, unless ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
