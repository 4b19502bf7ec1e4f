//go:build linux

package main

import (
	"context"
	"encoding/json"
	"fmt"
)

// plan is one workload for one target, and the results of its runs.
type plan struct {
	target  target
	mode    string
	work    workload
	results []*result
}

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
			b.progress.begin(fmt.Sprintf("%s %s, run %d of %d", p.mode, p.target.name, run+1, b.runs))
			res, err := modes[p.mode](b, ctx, p, run)
			if err != nil {
				return fmt.Errorf("%s %s: %w", p.mode, p.target.name, err)
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
	for _, p := range plans {
		text := tableRow(p.results...)
		if floor := floorCPU(plans, p); floor > 0 {
			text += fmt.Sprintf(", CPU %.2f x the floor's", median(p.results, serverCPU)/floor)
		}
		b.println(text)
	}
	b.println("\n" + markdownTable(plans))
}

func serverCPU(r *result) float64 { return r.ServerCPU }

// floorCPU returns the CPU of the floor under the workload of p, 0 if that was not measured.
func floorCPU(plans []*plan, p *plan) float64 {
	for _, other := range plans {
		if other.target.name == "floor" && other != p && other.work.Rate == p.work.Rate && other.work.Rooms == p.work.Rooms {
			return median(other.results, serverCPU)
		}
	}
	return 0
}
