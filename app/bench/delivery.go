//go:build linux

package main

import (
	"context"

	"burble/app/bench/load"
	"burble/app/bench/proc"
	"burble/app/bench/report"
	"burble/app/bench/target"
)

// runDelivery measures how a server delivers messages to clients that follow rooms. The modes fanout,
// rooms, quiet and idle differ only in their workloads.
func (b *bench) runDelivery(ctx context.Context, p *report.Plan, run int) (*report.Result, error) {
	w := p.Work
	w.ServerSends = p.Target == "floor"
	if b.workersFor(w) > 1 {
		return b.runInWorkers(ctx, p)
	}
	r, err := b.openRedis(ctx)
	if err != nil {
		return nil, err
	}
	defer r.Stop()
	s, err := b.launcher.Launch(ctx, p.Target, w, r)
	if err != nil {
		return nil, err
	}
	defer s.Stop()
	residentBefore, err := s.Resident()
	if err != nil {
		return nil, err
	}
	l, err := s.Load(ctx, w)
	if err != nil {
		return nil, err
	}
	defer l.Stop()
	b.progress.watch(l.Receiving)
	if err := load.Pause(ctx, w.Settle); err != nil {
		return nil, err
	}
	residentAfter, err := s.Resident()
	if err != nil {
		return nil, err
	}
	if b.worker != nil {
		if err := b.worker.waitForAll(); err != nil {
			return nil, err
		}
	}
	res := &report.Result{Target: p.Target, Mode: p.Mode, Work: w, Memory: float64(residentAfter-residentBefore) / float64(w.Clients)}
	profile := func() (finish func() error) { return b.startProfiles(ctx, p) }
	return res, b.measure(ctx, s, l, r, res, run, profile)
}

// measure sends the messages and fills in the result. It calls begin after the warm-up. It calls the
// function that begin returned when everything has arrived, nothing has for b.patience, or an error has occurred.
func (b *bench) measure(ctx context.Context, s *target.Server, l *load.Load, r *proc.Redis, res *report.Result, run int, begin func() func() error) error {
	w, pace := res.Work, l.Pacer(run)
	pace.Silent = b.worker != nil && b.worker.Index > 0
	sent := make(chan error, 1)
	go func() { sent <- pace.Run(ctx) }()
	before, err := proc.Sample{}, load.Pause(ctx, w.Warmup)
	if err == nil {
		before, err = s.Sample(ctx, r)
	}
	l.StartMeasuring()
	finish := begin()
	if sendErr := <-sent; err == nil {
		err = sendErr
	}
	if err == nil {
		l.Await(ctx, pace, b.patience)
	}
	if finishErr := finish(); err == nil {
		err = finishErr
	}
	if err != nil {
		return err
	}
	after, err := s.Sample(ctx, r)
	if err != nil {
		return err
	}
	if res.Connections, err = r.Connections(ctx); err != nil {
		return err
	}
	if res.Resident, err = s.Resident(); err != nil {
		return err
	}
	res.Summary = l.Finish(pace)
	res.Usage = after.Since(before, res.Deliveries, int64(w.Duration.Seconds()*float64(w.Rate)))
	return nil
}
