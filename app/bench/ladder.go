//go:build linux

package main

import (
	"context"
	"fmt"
	"time"

	"burble/app/bench/report"
)

// breakingLatency is the p99 above which a target fails.
const breakingLatency = time.Second

// climbLadder measures each target at rates that rise by a quarter, until it fails.
func (b *bench) climbLadder(ctx context.Context) error {
	for _, t := range b.targets {
		w := b.work
		for {
			p := &report.Plan{Target: t, Mode: "fanout", Work: w}
			if err := b.runPlans(ctx, []*report.Plan{p}); err != nil {
				return err
			}
			if reason := failureReason(p.Results); reason != "" {
				b.println(fmt.Sprintf("%s fails at %d messages per second to %d clients: %s", t, w.Rate, w.Clients, reason))
				break
			}
			w.Rate += w.Rate / 4
		}
	}
	return nil
}

// failureReason returns the reason why a target fails, or "".
func failureReason(results []*report.Result) string {
	for _, r := range results {
		switch {
		case r.Faults() != "":
			return r.Faults()
		case r.P99 > breakingLatency:
			return fmt.Sprintf("p99 is %v", r.P99.Round(time.Millisecond))
		case r.Late > breakingLatency:
			return fmt.Sprintf("the bench cannot send at this rate: it is %v late", r.Late.Round(time.Millisecond))
		}
	}
	return ""
}
