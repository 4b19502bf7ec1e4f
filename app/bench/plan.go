//go:build linux

package main

import (
	"context"
	"encoding/json"
	"fmt"
)

// plan is what is run several times, and what that has shown.
type plan struct {
	target  target
	mode    string
	work    work
	results []*result
}

// modes are how one run of each goes.
var modes = map[string]func(*bench, context.Context, *plan, int) (*result, error){
	"fanout": (*bench).deliver,
	"rooms":  (*bench).deliver,
	"quiet":  (*bench).deliver,
	"idle":   (*bench).deliver,
	"resume": (*bench).resume,
	"join":   (*bench).join,
	"start":  (*bench).start,
}

// do runs the plans, in turns, so that what changes on the machine meanwhile meets
// all of them, and prints each run.
func (b *bench) do(ctx context.Context, plans []*plan) error {
	head := ""
	for run := range b.runs {
		for _, p := range plans {
			b.progress.begin(fmt.Sprintf("%s %s, run %d of %d", p.mode, p.target.name, run+1, b.runs))
			got, err := modes[p.mode](b, ctx, p, run)
			if err != nil {
				return fmt.Errorf("%s %s: %w", p.mode, p.target.name, err)
			}
			p.results = append(p.results, got)
			if next := tableHead(p.mode); next != head && !b.json {
				head = next
				b.say(head)
			}
			b.print(got)
		}
	}
	return nil
}

func (b *bench) print(got *result) {
	if b.json {
		b.progress.clear()
		json.NewEncoder(b.out).Encode(got)
		return
	}
	b.say(line(got))
}

// say prints a line for people.
func (b *bench) say(text string) {
	b.progress.clear()
	fmt.Fprintln(b.out, text)
}

// summary prints the medians, and how they compare with the floor.
func (b *bench) summary(plans []*plan) {
	if b.json || b.runs == 1 {
		return
	}
	b.say(fmt.Sprintf("\nmedians of %d runs", b.runs))
	for _, p := range plans {
		text := line(p.results...)
		if floor := floorOf(plans, p); floor > 0 {
			text += fmt.Sprintf(", CPU %.2f x the floor's", median(p.results, cpu)/floor)
		}
		b.say(text)
	}
	b.say("\n" + markdown(plans))
}

// cpu is what the chart and the comparisons look at.
func cpu(r *result) float64 { return r.Server }

// floorOf is the CPU of the floor at the same work, 0 if it was not measured.
func floorOf(plans []*plan, like *plan) float64 {
	for _, p := range plans {
		if p.target.name == "floor" && p != like && p.work.Rate == like.work.Rate && p.work.Rooms == like.work.Rooms {
			return median(p.results, cpu)
		}
	}
	return 0
}
