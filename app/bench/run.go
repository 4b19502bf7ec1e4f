//go:build linux

package main

import (
	"context"
	"encoding/json"
	"fmt"
)

// modes has the function that makes one run of each mode.
var modes = map[string]func(b *bench, ctx context.Context, p *plan, run int) (*result, error){
	"fanout": (*bench).runDelivery,
	"rooms":  (*bench).runDelivery,
	"quiet":  (*bench).runDelivery,
	"idle":   (*bench).runDelivery,
	"resume": (*bench).runResume,
	"join":   (*bench).runJoin,
	"start":  (*bench).runStartup,
}

// runPlans runs the plans in turns, so that changes of the machine's speed affect all
// of them, and prints each run.
func (b *bench) runPlans(ctx context.Context, plans []*plan) error {
	header := ""
	for run := range b.runs {
		for _, p := range plans {
			b.progress.begin(fmt.Sprintf("%s %s, run %d of %d", p.mode, p.target, run+1, b.runs))
			res, err := modes[p.mode](b, ctx, p, run)
			if err != nil {
				return fmt.Errorf("%s %s: %w", p.mode, p.target, err)
			}
			p.results = append(p.results, res)
			if next := tableHeader(p.mode); next != header && !b.json {
				header = next
				b.println(header)
			}
			b.printResult(res)
		}
	}
	return nil
}

func (b *bench) printResult(res *result) {
	if b.json {
		b.progress.clear()
		json.NewEncoder(b.out).Encode(res)
		return
	}
	b.println(tableRow(res))
}

func (b *bench) println(text string) {
	b.progress.clear()
	fmt.Fprintln(b.out, text)
}

// printSummary prints the medians, and their CPU as a multiple of the floor's.
func (b *bench) printSummary(plans []*plan) {
	if b.json || b.runs == 1 {
		return
	}
	b.println(fmt.Sprintf("\nmedians of %d runs", b.runs))
	for _, row := range medianRows(plans) {
		b.println(row)
	}
	b.println("\n" + markdownTable(plans))
}
