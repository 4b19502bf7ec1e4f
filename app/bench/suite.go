//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// plan returns a plan with a mode's preset, changed by change.
func (b *bench) plan(name, mode string, change func(*workload)) *plan {
	w := presets[mode]
	w.Duration, w.Warmup, w.Transport = b.work.Duration, b.work.Warmup, b.work.Transport
	w.Settle = max(w.Settle, b.work.Settle)
	change(&w)
	w.Users = min(defaultUsers, w.Clients)
	return &plan{target: name, mode: mode, work: w}
}

// withCentrifugo adds a plan for Centrifugo with the last workload, if one is running.
func (b *bench) withCentrifugo(plans ...*plan) []*plan {
	if b.launcher.Centrifugo.Port == 0 {
		return plans
	}
	last := plans[len(plans)-1]
	return append(plans, b.plan("centrifugo", last.mode, func(w *workload) { *w = last.work }))
}

func unchanged(*workload) {}

// headline returns the requirements that the README quotes.
func (b *bench) headline() []requirement {
	rate := func(rate int) func(*workload) { return func(w *workload) { w.Rate = rate } }
	rooms := b.withCentrifugo(b.plan("burble", "fanout", func(w *workload) { w.Rooms, w.Rate = 50, 1000 }))
	requirements := []requirement{
		{name: "500 clients in one room, 50 messages per second",
			plans: b.withCentrifugo(b.plan("burble", "fanout", unchanged), b.plan("floor", "fanout", unchanged), b.plan("hub", "fanout", unchanged)),
			limits: []limit{
				{name: "CPU per delivery, times the floor's", number: ratio(0, 1, serverCPU), most: 1.2},
				{name: "p99, times the hub's", number: ratio(0, 2, p99), most: 1},
			}},
		{name: "the same at 1,000 messages per second", plans: b.withCentrifugo(b.plan("burble", "fanout", rate(1000))), limits: []limit{
			{name: "p99, ms", number: medianOfPlan(0, p99), most: 30},
			{name: "CPU seconds per million deliveries", number: medianOfPlan(0, serverCPU), most: 1},
		}},
		{name: "50 rooms of 10 clients, 1,000 messages per second in all", plans: rooms},
		{name: "500 clients in one room, 4,000 messages per second", plans: []*plan{b.plan("burble", "fanout", rate(4000))}, limits: []limit{
			{name: "million deliveries per second", number: medianOfPlan(0, func(r *result) float64 { return r.PerSecond / 1e6 }), least: 1.99},
			{name: "p99, ms", number: medianOfPlan(0, p99), most: 100},
		}},
		{name: "a quiet room of 100 clients", plans: []*plan{b.plan("burble", "quiet", unchanged)}, limits: []limit{
			{name: "latency of the last client, p50, ms", number: medianOfPlan(0, func(r *result) float64 { return milliseconds(r.LastP50) }), most: 2},
		}},
	}
	if len(rooms) > 1 {
		both := func(r *result) float64 { return r.ServerCPU + r.RedisCPU }
		requirements[2].limits = []limit{{name: "CPU of server and Redis, times Centrifugo's", number: ratio(0, 1, both), most: 0.5}}
	}
	return requirements
}

// further returns the other requirements.
func (b *bench) further() []requirement {
	reads := func(r *result) float64 { return float64(r.Reads) }
	redisMicros := func(r *result) float64 { return r.RedisMicros }
	return []requirement{
		{name: "10,000 idle connections", plans: []*plan{b.plan("burble", "idle", unchanged)}, limits: []limit{
			{name: "KB of RSS per connection", number: medianOfPlan(0, func(r *result) float64 { return r.Memory / 1024 }), most: 12},
		}},
		{name: "50,000 connections, and a message per second to all", plans: []*plan{b.plan("burble", "idle", func(w *workload) { w.Clients = 50_000 })}},
		{name: "2,000 clients resume at once, 200 entries missed",
			plans: []*plan{b.plan("burble", "resume", unchanged), b.plan("burble", "resume", func(w *workload) { w.Clients /= 10 })},
			limits: []limit{
				{name: "time until all have everything, times opening as many connections", most: 1,
					number: medianOfPlan(0, func(r *result) float64 { return milliseconds(r.Resuming) / milliseconds(r.Opening) })},
				{name: "reads of Redis for all 2,000", number: medianOfPlan(0, reads), most: 40},
				{name: "reads of Redis for 200", number: medianOfPlan(1, reads), most: 40},
			}},
		{name: "10,000 rooms on one server, 1,000 messages per second in all",
			plans: []*plan{b.plan("burble", "rooms", unchanged), b.plan("burble", "fanout", func(w *workload) { w.Clients, w.Rate = 20, 1000 })},
			limits: []limit{{name: "CPU of Redis per message, times that of one room", number: ratio(0, 1, redisMicros), most: 2}}},
		{name: "a room with 1,000,000 entries", plans: []*plan{b.plan("burble", "join", unchanged)}, limits: []limit{
			{name: "first page as JSON, ms", number: medianOfPlan(0, func(r *result) float64 { return milliseconds(r.Page) }), most: 20},
			{name: "first page as HTML, ms", number: medianOfPlan(0, func(r *result) float64 { return milliseconds(r.PageHTML) }), most: 20},
		}},
		{name: "startup", plans: []*plan{b.plan("burble", "start", unchanged)}, limits: []limit{
			{name: "until it listens, ms", number: medianOfPlan(0, func(r *result) float64 { return milliseconds(r.Listening) }), most: 100},
		}},
	}
}

var errRequirements = errors.New("requirements failed")

// runSuite runs the requirements of a suite and reports which hold.
func (b *bench) runSuite(ctx context.Context) error {
	requirements := b.headline()
	if b.suite == "all" {
		requirements = append(requirements, b.further()...)
	}
	began := time.Now()
	var verdicts []string
	failed := 0
	for _, req := range requirements {
		b.println("\n" + req.name)
		if err := b.runPlans(ctx, req.plans); err != nil {
			return err
		}
		lines, ok := req.judge()
		if !ok {
			failed++
		}
		for _, text := range lines {
			b.println("  " + text)
			verdicts = append(verdicts, req.name+": "+text)
		}
	}
	b.println(fmt.Sprintf("\nmedians of %d runs, %v in all\n\n%s", b.runs, time.Since(began).Round(time.Second), strings.Join(verdicts, "\n")))
	b.println("\n" + suiteTables(requirements))
	if b.suite == "all" {
		b.println("increasing rates, until something breaks")
		b.targets, b.work, b.runs = []string{"burble"}, b.plan("burble", "ladder", unchanged).work, 1
		if err := b.climbLadder(ctx); err != nil {
			return err
		}
	}
	if failed > 0 {
		return fmt.Errorf("%w: %d of %d", errRequirements, failed, len(requirements))
	}
	return nil
}
