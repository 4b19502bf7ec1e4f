//go:build linux

package main

import (
	"context"
	"encoding/json"
	"fmt"

	"burble/app/bench/report"
)

// modes maps each mode to the function that runs it once.
var modes = map[string]func(b *bench, ctx context.Context, p *report.Plan, run int) (*report.Result, error){
	"fanout": (*bench).runDelivery,
	"rooms":  (*bench).runDelivery,
	"quiet":  (*bench).runDelivery,
	"idle":   (*bench).runDelivery,
	"resume": (*bench).runResume,
	"join":   (*bench).runJoin,
	"start":  (*bench).runStartup,
}

// runPlans alternates between the plans, so that changes in the machine's speed affect all of
// them, and prints the result of each run.
func (b *bench) runPlans(ctx context.Context, plans []*report.Plan) error {
	header := ""
	for run := range b.runs {
		for _, p := range plans {
			b.progress.begin(fmt.Sprintf("%s %s, run %d of %d", p.Mode, p.Target, run+1, b.runs))
			res, err := modes[p.Mode](b, ctx, p, run)
			if err != nil {
				return fmt.Errorf("%s %s: %w", p.Mode, p.Target, err)
			}
			p.Results = append(p.Results, res)
			if next := report.Header(p.Mode); next != header && !b.json {
				header = next
				b.println(header)
			}
			b.printResult(res)
		}
	}
	return nil
}

func (b *bench) printResult(res *report.Result) {
	if b.json {
		b.progress.clear()
		json.NewEncoder(b.out).Encode(res)
		return
	}
	b.println(report.Row(res))
}

func (b *bench) println(text string) {
	b.progress.clear()
	fmt.Fprintln(b.out, text)
}

// printSummary prints the medians, and each median CPU relative to the floor's.
func (b *bench) printSummary(plans []*report.Plan) {
	if b.json || b.runs == 1 {
		return
	}
	b.println(fmt.Sprintf("\nmedians of %d runs", b.runs))
	for _, row := range report.MedianRows(plans) {
		b.println(row)
	}
	b.println("\n" + report.Table(plans))
}
