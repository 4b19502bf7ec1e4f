//go:build linux

package main

import (
	"context"
)

// runDelivery has clients follow rooms and sends messages in them. The modes fanout, rooms,
// quiet and idle differ in their workloads only.
func (b *bench) runDelivery(ctx context.Context, p *plan, run int) (*result, error) {
	w := p.work
	w.SingleSender = p.target == "floor"
	if b.workersFor(w) > 1 {
		return b.runInWorkers(ctx, p)
	}
	r, err := b.openRedis(ctx)
	if err != nil {
		return nil, err
	}
	defer r.stop()
	s, err := b.launcher.launch(ctx, p.target, w, r)
	if err != nil {
		return nil, err
	}
	defer s.Stop()
	empty, err := s.resident()
	if err != nil {
		return nil, err
	}
	l, err := s.openLoad(ctx, w)
	if err != nil {
		return nil, err
	}
	defer l.stop()
	b.progress.watch(l.receiving)
	if err := pause(ctx, w.Settle); err != nil {
		return nil, err
	}
	joined, err := s.resident()
	if err != nil {
		return nil, err
	}
	if b.worker != nil {
		if err := b.worker.waitForAll(); err != nil {
			return nil, err
		}
	}
	res := &result{Target: p.target, Mode: p.mode, Work: w, Memory: float64(joined-empty) / float64(w.Clients)}
	profile := func() (finish func() error) { return b.startProfiles(ctx, p) }
	return res, b.measure(ctx, s, l, r, res, run, profile)
}

// measure sends the messages and fills in the result. It calls begin after the warm-up, and
// the function that begin returned once everything has arrived.
func (b *bench) measure(ctx context.Context, s *server, l *load, r *redisServer, res *result, run int, begin func() func() error) error {
	w, pace := res.Work, l.pacer(run)
	pace.silent = b.worker != nil && b.worker.Index > 0
	sent := make(chan error, 1)
	go func() { sent <- pace.run(ctx) }()
	before, err := sample{}, pause(ctx, w.Warmup)
	if err == nil {
		before, err = s.sample(ctx, r)
	}
	l.startMeasuring()
	finish := begin()
	if sendErr := <-sent; err == nil {
		err = sendErr
	}
	if err != nil {
		return err
	}
	l.await(ctx, pace, b.patience)
	if err := finish(); err != nil {
		return err
	}
	after, err := s.sample(ctx, r)
	if err != nil {
		return err
	}
	if res.Connections, err = r.connections(ctx); err != nil {
		return err
	}
	if res.Resident, err = s.resident(); err != nil {
		return err
	}
	res.summary = l.finish(pace)
	res.usage = after.since(before, res.Deliveries, int64(w.Duration.Seconds()*float64(w.Rate)))
	return nil
}
