//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"time"
)

// bench is what the flags ask for.
type bench struct {
	mode     string
	work     work
	targets  []target
	rates    []int // messages a second, one after the other; none: the work's
	suite    string
	runs     int
	json     bool
	chart    string        // a file; empty: none
	patience time.Duration // how long nothing may arrive before what has not arrived is missing

	burble     string // an executable; empty: it is built
	profile    string // folder; empty: none
	centrifugo struct {
		port            int
		pids, redisPids []int
	}

	share      *share // that this process is, if it is one
	perProcess int    // clients that a process can have

	folder   string // for what lasts as long as the bench
	out      io.Writer
	progress *progress
}

// runAll does what the flags ask for.
func (b *bench) runAll(ctx context.Context) error {
	if b.suite != "" {
		return b.runSuite(ctx)
	}
	if b.mode == "ladder" {
		return b.climb(ctx)
	}
	var plans []*plan
	for _, rate := range b.rates {
		for _, t := range b.targets {
			w := b.work
			w.Rate = rate
			plans = append(plans, &plan{target: t, mode: b.mode, work: w})
		}
	}
	if err := b.do(ctx, plans); err != nil {
		return err
	}
	b.summary(plans)
	if b.chart != "" {
		return writeChart(b.chart, plans)
	}
	return nil
}

// profiling takes a CPU profile of a Burble while the work goes on. What it returns
// waits for it, and takes those of the memory.
func (b *bench) profiling(ctx context.Context, p *plan) (finish func() error) {
	if b.profile == "" || p.target.name != "burble" {
		return func() error { return nil }
	}
	name := fmt.Sprintf("%s-%dx%d-", p.mode, p.work.Clients, p.work.Rate)
	taken := make(chan error, 1)
	go func() {
		taken <- b.saveProfile(ctx, fmt.Sprintf("profile?seconds=%d", max(1, int(p.work.Lasts.Seconds()))), name+"cpu")
	}()
	return func() error {
		err := <-taken
		for kind, query := range map[string]string{"heap": "heap?gc=1", "memory": "heap?debug=1", "goroutine": "goroutine?debug=1"} {
			if err == nil {
				err = b.saveProfile(ctx, query, name+kind)
			}
		}
		return err
	}
}
