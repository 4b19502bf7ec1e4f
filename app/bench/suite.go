//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// requirement is a claim about Burble: what to run, and the limits of what it measures.
type requirement struct {
	name   string
	plans  []*plan
	limits []limit
}

// limit bounds a number computed from the medians of a requirement's plans.
type limit struct {
	name   string
	number func([]*plan) float64
	most   float64
	least  float64 // replaces most if it is not 0
}

func (l limit) holds(value float64) bool {
	if l.least != 0 {
		return value >= l.least
	}
	return value <= l.most
}

// medianOfPlan returns a function that computes the median of one plan.
func medianOfPlan(index int, number func(*result) float64) func([]*plan) float64 {
	return func(plans []*plan) float64 { return median(plans[index].results, number) }
}

// ratio returns a function that divides the median of one plan by that of another.
func ratio(dividend, divisor int, number func(*result) float64) func([]*plan) float64 {
	return func(plans []*plan) float64 {
		return median(plans[dividend].results, number) / median(plans[divisor].results, number)
	}
}

// plan returns a plan with a mode's preset, changed by change.
func (b *bench) plan(name, mode string, change func(*workload)) *plan {
	w := presets[mode]
	w.Duration, w.Warmup, w.Transport = b.work.Duration, b.work.Warmup, b.work.Transport
	w.Settle = max(w.Settle, b.work.Settle)
	change(&w)
	w.Users = min(defaultUsers, w.Clients)
	found, err := findTargets(name)
	if err != nil {
		panic(err) // the names are constants
	}
	return &plan{target: found[0], mode: mode, work: w}
}

// withCentrifugo adds a plan for Centrifugo with the last workload, if one is running.
func (b *bench) withCentrifugo(plans ...*plan) []*plan {
	if b.centrifugo.port == 0 {
		return plans
	}
	last := plans[len(plans)-1]
	return append(plans, b.plan("centrifugo", last.mode, func(w *workload) { *w = last.work }))
}

func p99(r *result) float64 { return milliseconds(r.P99) }

func unchanged(*workload) {}

// headline returns the requirements that the README quotes.
func (b *bench) headline() []requirement {
	rate := func(rate int) func(*workload) { return func(w *workload) { w.Rate = rate } }
	rooms := b.withCentrifugo(b.plan("burble", "fanout", func(w *workload) { w.Rooms, w.Rate = 50, 1000 }))
	requirements := []requirement{
		{"500 clients in one room, 50 messages per second",
			b.withCentrifugo(b.plan("burble", "fanout", unchanged), b.plan("floor", "fanout", unchanged), b.plan("hub", "fanout", unchanged)),
			[]limit{
				{name: "CPU per delivery, times the floor's", number: ratio(0, 1, serverCPU), most: 1.2},
				{name: "p99, times the hub's", number: ratio(0, 2, p99), most: 1},
			}},
		{"the same at 1,000 messages per second", b.withCentrifugo(b.plan("burble", "fanout", rate(1000))), []limit{
			{name: "p99, ms", number: medianOfPlan(0, p99), most: 30},
			{name: "CPU seconds per million deliveries", number: medianOfPlan(0, serverCPU), most: 1},
		}},
		{"50 rooms of 10 clients, 1,000 messages per second in all", rooms, nil},
		{"500 clients in one room, 4,000 messages per second", []*plan{b.plan("burble", "fanout", rate(4000))}, []limit{
			{name: "million deliveries per second", number: medianOfPlan(0, func(r *result) float64 { return r.PerSecond / 1e6 }), least: 1.99},
			{name: "p99, ms", number: medianOfPlan(0, p99), most: 100},
		}},
		{"a quiet room of 100 clients", []*plan{b.plan("burble", "quiet", unchanged)}, []limit{
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
		{"10,000 idle connections", []*plan{b.plan("burble", "idle", unchanged)}, []limit{
			{name: "KB of RSS per connection", number: medianOfPlan(0, func(r *result) float64 { return r.Memory / 1024 }), most: 12},
		}},
		{"50,000 connections, and a message per second to all", []*plan{b.plan("burble", "idle", func(w *workload) { w.Clients = 50_000 })}, nil},
		{"2,000 clients resume at once, 200 entries missed",
			[]*plan{b.plan("burble", "resume", unchanged), b.plan("burble", "resume", func(w *workload) { w.Clients /= 10 })},
			[]limit{
				{name: "time until all have everything, times opening as many connections", most: 1,
					number: medianOfPlan(0, func(r *result) float64 { return milliseconds(r.Resuming) / milliseconds(r.Opening) })},
				{name: "reads of Redis for all 2,000", number: medianOfPlan(0, reads), most: 40},
				{name: "reads of Redis for 200", number: medianOfPlan(1, reads), most: 40},
			}},
		{"10,000 rooms on one server, 1,000 messages per second in all",
			[]*plan{b.plan("burble", "rooms", unchanged), b.plan("burble", "fanout", func(w *workload) { w.Clients, w.Rate = 20, 1000 })},
			[]limit{{name: "CPU of Redis per message, times that of one room", number: ratio(0, 1, redisMicros), most: 2}}},
		{"a room with 1,000,000 entries", []*plan{b.plan("burble", "join", unchanged)}, []limit{
			{name: "first page as JSON, ms", number: medianOfPlan(0, func(r *result) float64 { return milliseconds(r.Page) }), most: 20},
			{name: "first page as HTML, ms", number: medianOfPlan(0, func(r *result) float64 { return milliseconds(r.PageHTML) }), most: 20},
		}},
		{"startup", []*plan{b.plan("burble", "start", unchanged)}, []limit{
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
		b.targets, b.work, b.runs = targets[:1], b.plan("burble", "ladder", unchanged).work, 1
		if err := b.climbLadder(ctx); err != nil {
			return err
		}
	}
	if failed > 0 {
		return fmt.Errorf("%w: %d of %d", errRequirements, failed, len(requirements))
	}
	return nil
}

// judge returns a line for each limit, and whether all hold. A message of Burble's that is
// lost, repeated or out of order in any run fails the requirement.
func (req requirement) judge() (lines []string, ok bool) {
	ok = true
	for _, p := range req.plans {
		if verdict := worstVerdict(p.results); p.target.name == "burble" && strings.HasPrefix(verdict, "FAIL") {
			lines, ok = append(lines, verdict), false
		}
	}
	if len(lines) == 0 {
		lines = append(lines, "PASS: everything once and in order")
	}
	for _, l := range req.limits {
		value, word, bound := l.number(req.plans), "PASS", fmt.Sprintf("at most %g", l.most)
		if l.least != 0 {
			bound = fmt.Sprintf("at least %g", l.least)
		}
		if !l.holds(value) {
			word, ok = "FAIL", false
		}
		lines = append(lines, fmt.Sprintf("%s: %s: %.2f (%s)", word, l.name, value, bound))
	}
	return lines, ok
}

// suiteTables returns a Markdown table for each group of plans with the same columns.
func suiteTables(requirements []requirement) string {
	var tables []string
	var group []*plan
	for _, req := range requirements {
		for _, p := range req.plans {
			if len(group) > 0 && !slices.Equal(columnNames(group[0].mode), columnNames(p.mode)) {
				tables = append(tables, markdownTable(group))
				group = nil
			}
			group = append(group, p)
		}
	}
	return strings.Join(append(tables, markdownTable(group)), "\n")
}
