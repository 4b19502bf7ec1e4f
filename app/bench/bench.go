//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"time"
)

// bench holds what the flags ask for.
type bench struct {
	mode     string
	work     workload
	targets  []target
	rates    []int // messages per second, measured one after the other
	suite    string
	runs     int
	json     bool
	chart    string        // path of an SVG; empty: none
	patience time.Duration // how long nothing may arrive before the rest counts as missing

	burble     string // path of the executable; empty: it is built
	profile    string // folder; empty: no profiles
	centrifugo struct {
		port            int
		pids, redisPids []int
	}

	worker            *worker // set in a worker process
	clientsPerProcess int

	folder   string // temporary, for the whole program
	out      io.Writer
	progress *progress
}

// runAll runs the suite, the ladder, or each target at each rate.
func (b *bench) runAll(ctx context.Context) error {
	if b.suite != "" {
		return b.runSuite(ctx)
	}
	if b.mode == "ladder" {
		return b.climbLadder(ctx)
	}
	var plans []*plan
	for _, rate := range b.rates {
		for _, t := range b.targets {
			w := b.work
			w.Rate = rate
			plans = append(plans, &plan{target: t, mode: b.mode, work: w})
		}
	}
	if err := b.runPlans(ctx, plans); err != nil {
		return err
	}
	b.printSummary(plans)
	if b.chart != "" {
		return writeChart(b.chart, plans)
	}
	return nil
}

// startProfiles takes a CPU profile of Burble while the work goes on. The returned
// function waits for it, and then takes the memory and goroutine profiles.
func (b *bench) startProfiles(ctx context.Context, p *plan) (finish func() error) {
	if b.profile == "" || p.target.name != "burble" {
		return func() error { return nil }
	}
	name := fmt.Sprintf("%s-%dx%d-", p.mode, p.work.Clients, p.work.Rate)
	saved := make(chan error, 1)
	go func() {
		saved <- b.saveProfile(ctx, fmt.Sprintf("profile?seconds=%d", max(1, int(p.work.Duration.Seconds()))), name+"cpu")
	}()
	return func() error {
		err := <-saved
		for kind, query := range map[string]string{"heap": "heap?gc=1", "memory": "heap?debug=1", "goroutine": "goroutine?debug=1"} {
			if err == nil {
				err = b.saveProfile(ctx, query, name+kind)
			}
		}
		return err
	}
}
