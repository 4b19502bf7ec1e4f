//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"burble/app/bench/load"
	"burble/app/bench/report"
	"burble/app/bench/target"
)

// bench is one invocation of the program, configured by flags.
type bench struct {
	mode     string
	work     load.Workload
	targets  []string
	rates    []int // messages per second; each is measured separately
	suite    string
	runs     int
	json     bool
	chart    string        // path of the SVG to write; may be empty
	patience time.Duration // time without a delivery after which the remaining messages count as missing

	launcher target.Launcher

	worker            *worker // set in a worker process
	clientsPerProcess int

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
	var plans []*report.Plan
	for _, rate := range b.rates {
		for _, t := range b.targets {
			w := b.work
			w.Rate = rate
			plans = append(plans, &report.Plan{Target: t, Mode: b.mode, Work: w})
		}
	}
	if err := b.runPlans(ctx, plans); err != nil {
		return err
	}
	b.printSummary(plans)
	if b.chart != "" {
		return report.WriteChart(b.chart, plans)
	}
	return nil
}

// startProfiles starts to profile Burble. The caller must call finish after the run. It waits until the
// profiles are written. For other targets, startProfiles does nothing.
func (b *bench) startProfiles(ctx context.Context, p *report.Plan) (finish func() error) {
	if p.Target != "burble" {
		return func() error { return nil }
	}
	name := fmt.Sprintf("%s-%dx%d-", p.Mode, p.Work.Clients, p.Work.Rate)
	return b.launcher.Burble.StartProfiles(ctx, name, p.Work.Duration)
}
