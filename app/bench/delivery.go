//go:build linux

package main

import (
	"context"
	"time"
)

// runDelivery has clients follow rooms and sends messages in them. The modes fanout, rooms,
// quiet and idle differ in their workloads only.
func (b *bench) runDelivery(ctx context.Context, p *plan, run int) (*result, error) {
	w := p.work
	w.singleSender = p.target.name == "floor"
	if b.workersFor(w) > 1 {
		return b.runInWorkers(ctx, p)
	}
	r, err := b.openRedis(ctx)
	if err != nil {
		return nil, err
	}
	defer r.stop()
	s, err := p.target.launch(ctx, b, w, r)
	if err != nil {
		return nil, err
	}
	defer s.stop()
	empty, err := sumOf(s.pids, residentBytes)
	if err != nil {
		return nil, err
	}
	l, err := newLoad(ctx, s, w)
	if err != nil {
		return nil, err
	}
	defer l.stop()
	b.progress.watch(l.receiving)
	if err := pause(ctx, w.Settle); err != nil {
		return nil, err
	}
	joined, err := sumOf(s.pids, residentBytes)
	if err != nil {
		return nil, err
	}
	if b.worker != nil {
		if err := b.worker.waitForAll(); err != nil {
			return nil, err
		}
	}
	res := &result{Target: p.target.name, Mode: p.mode, Work: w, Memory: float64(joined-empty) / float64(w.Clients)}
	profile := func() (finish func() error) { return b.startProfiles(ctx, p) }
	return res, b.measure(ctx, l, r, res, run, profile)
}

// measure sends the messages and fills in the result. It calls begin after the warm-up, and
// the function that begin returned once everything has arrived.
func (b *bench) measure(ctx context.Context, l *load, r *redisServer, res *result, run int, begin func() func() error) error {
	pace := l.pacer(run)
	pace.silent = b.worker != nil && b.worker.Index > 0
	sent := make(chan error, 1)
	go func() { sent <- pace.run(ctx) }()
	before, err := sample{}, pause(ctx, l.work.Warmup)
	if err == nil {
		before, err = l.server.sample(ctx, r)
	}
	// One millisecond from now, so that no measured message has arrived anywhere yet.
	l.receiving.measureFrom.Store(time.Now().Add(time.Millisecond).UnixMicro())
	finish := begin()
	if sendErr := <-sent; err == nil {
		err = sendErr
	}
	if err != nil {
		return err
	}
	l.receiving.await(ctx, expectedDeliveries(l.work, pace.sent), b.patience)
	if err := finish(); err != nil {
		return err
	}
	after, err := l.server.sample(ctx, r)
	if err != nil {
		return err
	}
	if res.Connections, err = r.connections(ctx); err != nil {
		return err
	}
	if res.Resident, err = sumOf(l.server.pids, residentBytes); err != nil {
		return err
	}
	l.collect(res, pace)
	res.usage = after.since(before, res.Deliveries, int64(l.work.Duration.Seconds()*float64(l.work.Rate)))
	return nil
}

// collect stops the clients and fills in what they counted.
func (l *load) collect(res *result, pace *pacer) {
	l.stop()
	res.counts = *l.receiving.stop()
	if l.sending != l.receiving {
		res.Refused += l.sending.stop().Refused
		res.Closed += l.sending.stop().Closed
	}
	res.Deliveries = res.latency.count
	took := time.Duration(res.lastAt-l.receiving.measureFrom.Load()) * time.Microsecond
	res.PerSecond = float64(res.Deliveries) / max(took, l.work.Duration).Seconds()
	res.P50, res.P99, res.Max = res.latency.quantile(0.5), res.latency.quantile(0.99), res.latency.max()
	res.LastP50 = medianOf(res.slowest)
	res.Missing = l.receiving.missing(pace.sent)
	res.Late = pace.late
}

// medianOf returns the median of durations in microseconds. Those that are 0 were not measured.
func medianOf(durations []int64) time.Duration {
	var h histogram
	for _, micros := range durations {
		if micros > 0 {
			h.add(micros)
		}
	}
	return h.quantile(0.5)
}
