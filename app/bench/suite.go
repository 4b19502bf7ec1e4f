//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"burble/app/bench/load"
	"burble/app/bench/report"
)

// plan returns a plan with a mode's preset, as modified by change.
func (b *bench) plan(name, mode string, change func(*load.Workload)) *report.Plan {
	w := presets[mode]
	w.Duration, w.Warmup, w.Transport = b.work.Duration, b.work.Warmup, b.work.Transport
	w.Settle = max(w.Settle, b.work.Settle)
	change(&w)
	w.Users = min(defaultUsers, w.Clients)
	return &report.Plan{Target: name, Mode: mode, Work: w}
}

// withCentrifugo adds a plan for Centrifugo with the workload of the last plan, if Centrifugo is
// configured.
func (b *bench) withCentrifugo(plans ...*report.Plan) []*report.Plan {
	if b.launcher.Centrifugo.Port == 0 {
		return plans
	}
	last := plans[len(plans)-1]
	return append(plans, b.plan("centrifugo", last.Mode, func(w *load.Workload) { *w = last.Work }))
}

func unchanged(*load.Workload) {}

// headline returns the main requirements.
func (b *bench) headline() []report.Requirement {
	rate := func(rate int) func(*load.Workload) { return func(w *load.Workload) { w.Rate = rate } }
	rooms := b.withCentrifugo(b.plan("burble", "fanout", func(w *load.Workload) { w.Rooms, w.Rate = 50, 1000 }))
	requirements := []report.Requirement{
		{Name: "500 clients in one room, 50 messages per second",
			Plans: b.withCentrifugo(b.plan("burble", "fanout", unchanged), b.plan("floor", "fanout", unchanged), b.plan("hub", "fanout", unchanged)),
			Limits: []report.Limit{
				{Name: "CPU per delivery, relative to the floor's", Value: report.Ratio(0, 1, report.ServerCPU), Max: 1.2},
				{Name: "p99, relative to the hub's", Value: report.Ratio(0, 2, report.P99), Max: 1},
			}},
		{Name: "the same at 1,000 messages per second", Plans: b.withCentrifugo(b.plan("burble", "fanout", rate(1000))), Limits: []report.Limit{
			{Name: "p99, ms", Value: report.MedianOf(0, report.P99), Max: 30},
			{Name: "CPU seconds per million deliveries", Value: report.MedianOf(0, report.ServerCPU), Max: 1},
		}},
		{Name: "50 rooms of 10 clients, 1,000 messages per second in total", Plans: rooms},
		{Name: "500 clients in one room, 4,000 messages per second", Plans: []*report.Plan{b.plan("burble", "fanout", rate(4000))}, Limits: []report.Limit{
			{Name: "million deliveries per second", Value: report.MedianOf(0, func(r *report.Result) float64 { return r.PerSecond / 1e6 }), Min: 1.99},
			{Name: "p99, ms", Value: report.MedianOf(0, report.P99), Max: 100},
		}},
		{Name: "a quiet room of 100 clients", Plans: []*report.Plan{b.plan("burble", "quiet", unchanged)}, Limits: []report.Limit{
			{Name: "p50 of the latency of the last client, ms", Value: report.MedianOf(0, func(r *report.Result) float64 { return report.Milliseconds(r.LastP50) }), Max: 2},
		}},
	}
	if len(rooms) > 1 {
		both := func(r *report.Result) float64 { return r.ServerCPU + r.RedisCPU }
		requirements[2].Limits = []report.Limit{{Name: "CPU of server and Redis, relative to Centrifugo's", Value: report.Ratio(0, 1, both), Max: 0.7}}
	}
	return requirements
}

// otherRequirements returns the requirements that only the suite "all" checks.
func (b *bench) otherRequirements() []report.Requirement {
	reads := func(r *report.Result) float64 { return float64(r.Reads) }
	redisMicros := func(r *report.Result) float64 { return r.RedisMicros }
	return []report.Requirement{
		{Name: "10,000 idle connections", Plans: []*report.Plan{b.plan("burble", "idle", unchanged)}, Limits: []report.Limit{
			{Name: "KB of RSS per connection", Value: report.MedianOf(0, func(r *report.Result) float64 { return r.Memory / 1024 }), Max: 12},
		}},
		{Name: "50,000 connections, and one message per second to all of them", Plans: []*report.Plan{b.plan("burble", "idle", func(w *load.Workload) { w.Clients = 50_000 })}},
		{Name: "2,000 clients that missed 200 entries resume at once",
			Plans: []*report.Plan{b.plan("burble", "resume", unchanged), b.plan("burble", "resume", func(w *load.Workload) { w.Clients /= 10 })},
			Limits: []report.Limit{
				{Name: "time until all have received everything, relative to opening the same number of connections", Max: 1.2,
					Value: report.MedianOf(0, func(r *report.Result) float64 {
						return report.Milliseconds(r.Resuming) / report.Milliseconds(r.Opening)
					})},
				{Name: "reads of Redis for 2,000 clients", Value: report.MedianOf(0, reads), Max: 40},
				{Name: "reads of Redis for 200 clients", Value: report.MedianOf(1, reads), Max: 40},
			}},
		{Name: "10,000 rooms on one server, 1,000 messages per second in total",
			Plans:  []*report.Plan{b.plan("burble", "rooms", unchanged), b.plan("burble", "fanout", func(w *load.Workload) { w.Clients, w.Rate = 20, 1000 })},
			Limits: []report.Limit{{Name: "CPU of Redis per message, relative to one room's", Value: report.Ratio(0, 1, redisMicros), Max: 2}}},
		{Name: "a room with 1,000,000 entries", Plans: []*report.Plan{b.plan("burble", "join", unchanged)}, Limits: []report.Limit{
			{Name: "first page as JSON, ms", Value: report.MedianOf(0, func(r *report.Result) float64 { return report.Milliseconds(r.Page) }), Max: 20},
			{Name: "first page as HTML, ms", Value: report.MedianOf(0, func(r *report.Result) float64 { return report.Milliseconds(r.PageHTML) }), Max: 20},
		}},
		{Name: "startup", Plans: []*report.Plan{b.plan("burble", "start", unchanged)}, Limits: []report.Limit{
			{Name: "time until the server listens, ms", Value: report.MedianOf(0, func(r *report.Result) float64 { return report.Milliseconds(r.Listening) }), Max: 100},
		}},
	}
}

var errRequirements = errors.New("requirements failed")

// runSuite checks the requirements of a suite and prints which of them hold.
func (b *bench) runSuite(ctx context.Context) error {
	requirements := b.headline()
	if b.suite == "all" {
		requirements = append(requirements, b.otherRequirements()...)
	}
	began := time.Now()
	var verdicts []string
	failed := 0
	for _, req := range requirements {
		b.println("\n" + req.Name)
		if err := b.runPlans(ctx, req.Plans); err != nil {
			return err
		}
		lines, ok := req.Check()
		if !ok {
			failed++
		}
		for _, text := range lines {
			b.println("  " + text)
			verdicts = append(verdicts, req.Name+": "+text)
		}
	}
	b.println(fmt.Sprintf("\nmedians of %d runs, %v in total\n\n%s", b.runs, time.Since(began).Round(time.Second), strings.Join(verdicts, "\n")))
	b.println("\n" + report.Tables(requirements))
	if b.suite == "all" {
		b.println("increasing rates, until the target fails")
		b.targets, b.work, b.runs = []string{"burble"}, b.plan("burble", "ladder", unchanged).Work, 1
		if err := b.climbLadder(ctx); err != nil {
			return err
		}
	}
	if failed > 0 {
		return fmt.Errorf("%w: %d of %d", errRequirements, failed, len(requirements))
	}
	return nil
}
