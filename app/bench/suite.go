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

// demand is something that must hold: what is run, and the limits of what it shows.
type demand struct {
	what   string
	plans  []*plan
	limits []limit
}

// limit is what the medians of a demand's plans must not be above, or below.
type limit struct {
	what  string
	of    func([]*plan) float64
	most  float64
	least float64 // instead, if it is not 0
}

func (l limit) holds(value float64) bool {
	if l.least != 0 {
		return value >= l.least
	}
	return value <= l.most
}

// of is a number of the plan with that index.
func of(index int, number func(*result) float64) func([]*plan) float64 {
	return func(plans []*plan) float64 { return median(plans[index].results, number) }
}

// times is a number of the first plan by that of the second.
func times(first, second int, number func(*result) float64) func([]*plan) float64 {
	return func(plans []*plan) float64 {
		return median(plans[first].results, number) / median(plans[second].results, number)
	}
}

// plan is one of a mode's, with changes.
func (b *bench) plan(name, mode string, change func(*work)) *plan {
	w := presets[mode]
	w.Lasts, w.Warm, w.Transport = b.work.Lasts, b.work.Warm, b.work.Transport
	w.Settle = max(w.Settle, b.work.Settle)
	change(&w)
	w.Guests = min(guestsMost, w.Clients)
	found, err := findTargets(name)
	if err != nil {
		panic(err) // only for names that nothing has
	}
	return &plan{target: found[0], mode: mode, work: w}
}

// besides adds a Centrifugo to what is compared, if there is one.
func (b *bench) besides(plans ...*plan) []*plan {
	if b.centrifugo.port == 0 {
		return plans
	}
	last := plans[len(plans)-1]
	return append(plans, b.plan("centrifugo", last.mode, func(w *work) { *w = last.work }))
}

func p99(r *result) float64 { return ms(r.P99) }

func same(*work) {}

// headline is what the project says of itself first.
func (b *bench) headline() []demand {
	rate := func(rate int) func(*work) { return func(w *work) { w.Rate = rate } }
	rooms := b.besides(b.plan("burble", "fanout", func(w *work) { w.Rooms, w.Rate = 50, 1000 }))
	demands := []demand{
		{"500 clients in one room, 50 messages a second",
			b.besides(b.plan("burble", "fanout", same), b.plan("floor", "fanout", same), b.plan("hub", "fanout", same)),
			[]limit{
				{what: "CPU by delivery, times the floor's", of: times(0, 1, cpu), most: 1.2},
				{what: "p99, times the hub's", of: times(0, 2, p99), most: 1},
			}},
		{"the same at 1,000 messages a second", b.besides(b.plan("burble", "fanout", rate(1000))), []limit{
			{what: "p99, ms", of: of(0, p99), most: 30},
			{what: "CPU seconds by million", of: of(0, cpu), most: 1},
		}},
		{"50 rooms of 10 clients, 1,000 messages a second in all", rooms, nil},
		{"500 clients in one room, 4,000 messages a second", []*plan{b.plan("burble", "fanout", rate(4000))}, []limit{
			{what: "million deliveries a second", of: of(0, func(r *result) float64 { return r.PerSecond / 1e6 }), least: 1.99},
			{what: "p99, ms", of: of(0, p99), most: 100},
		}},
		{"a quiet room of 100 clients", []*plan{b.plan("burble", "quiet", same)}, []limit{
			{what: "from a message's write to its arrival at the last client, p50, ms", of: of(0, func(r *result) float64 { return ms(r.LastP50) }), most: 2},
		}},
	}
	if len(rooms) > 1 {
		both := func(r *result) float64 { return r.Server + r.Redis }
		demands[2].limits = []limit{{what: "CPU of server and Redis, times Centrifugo's", of: times(0, 1, both), most: 0.5}}
	}
	return demands
}

// rest is what must hold besides.
func (b *bench) rest() []demand {
	reads := func(r *result) float64 { return float64(r.Reads) }
	perMessage := func(r *result) float64 { return r.RedisMicros }
	return []demand{
		{"10,000 idle sockets", []*plan{b.plan("burble", "idle", same)}, []limit{
			{what: "KB of RSS each", of: of(0, func(r *result) float64 { return r.Memory / 1024 }), most: 12},
		}},
		{"50,000 sockets, and a message a second to all", []*plan{b.plan("burble", "idle", func(w *work) { w.Clients = 50_000 })}, nil},
		{"2,000 clients resume at once, 200 entries missed",
			[]*plan{b.plan("burble", "resume", same), b.plan("burble", "resume", func(w *work) { w.Clients /= 10 })},
			[]limit{
				{what: "until all have everything, times opening as many sockets", most: 1,
					of: of(0, func(r *result) float64 { return ms(r.Resuming) / ms(r.Opening) })},
				{what: "reads of Redis for all 2,000", of: of(0, reads), most: 40},
				{what: "reads of Redis for 200", of: of(1, reads), most: 40},
			}},
		{"10,000 rooms on one server, 1,000 messages a second in all",
			[]*plan{b.plan("burble", "rooms", same), b.plan("burble", "fanout", func(w *work) { w.Clients, w.Rate = 20, 1000 })},
			[]limit{{what: "CPU of Redis by message, times that of one room", of: times(0, 1, perMessage), most: 2}}},
		{"a room with 1,000,000 entries", []*plan{b.plan("burble", "join", same)}, []limit{
			{what: "the first page as JSON, ms", of: of(0, func(r *result) float64 { return ms(r.Page) }), most: 20},
			{what: "the first page as HTML, ms", of: of(0, func(r *result) float64 { return ms(r.PageHTML) }), most: 20},
		}},
		{"the start", []*plan{b.plan("burble", "start", same)}, []limit{
			{what: "until it listens, ms", of: of(0, func(r *result) float64 { return ms(r.Listening) }), most: 100},
		}},
	}
}

var errNotHeld = errors.New("not everything holds")

// runSuite runs what must hold, and says what does.
func (b *bench) runSuite(ctx context.Context) error {
	demands := b.headline()
	if b.suite == "all" {
		demands = append(demands, b.rest()...)
	}
	began := time.Now()
	var verdicts []string
	failed := 0
	for _, d := range demands {
		b.say("\n" + d.what)
		if err := b.do(ctx, d.plans); err != nil {
			return err
		}
		lines, ok := d.judge()
		if !ok {
			failed++
		}
		for _, text := range lines {
			b.say("  " + text)
			verdicts = append(verdicts, d.what+": "+text)
		}
	}
	b.say(fmt.Sprintf("\nmedians of %d runs, %v in all\n\n%s", b.runs, time.Since(began).Round(time.Second), strings.Join(verdicts, "\n")))
	b.say("\n" + suiteMarkdown(demands))
	if b.suite == "all" {
		b.say("and on, until something breaks")
		b.targets, b.work, b.runs = targets[:1], b.plan("burble", "ladder", same).work, 1
		if err := b.climb(ctx); err != nil {
			return err
		}
	}
	if failed > 0 {
		return fmt.Errorf("%w: %d of %d", errNotHeld, failed, len(demands))
	}
	return nil
}

// judge says of each limit whether it holds, and whether all do. What was lost, or
// came twice, or out of order, is never all right.
func (d demand) judge() (lines []string, ok bool) {
	ok = true
	for _, p := range d.plans {
		if verdict := verdict(p.results); p.target.name == "burble" && strings.HasPrefix(verdict, "WRONG") {
			lines, ok = append(lines, "FAILS: "+verdict), false
		}
	}
	if len(lines) == 0 {
		lines = append(lines, "holds: everything once and in order")
	}
	for _, l := range d.limits {
		value, word, bound := l.of(d.plans), "holds", fmt.Sprintf("at most %g", l.most)
		if l.least != 0 {
			bound = fmt.Sprintf("at least %g", l.least)
		}
		if !l.holds(value) {
			word, ok = "FAILS", false
		}
		lines = append(lines, fmt.Sprintf("%s: %s: %.2f (%s)", word, l.what, value, bound))
	}
	return lines, ok
}

// suiteMarkdown is a table for each sort of plan.
func suiteMarkdown(demands []demand) string {
	var tables []string
	var group []*plan
	for _, d := range demands {
		for _, p := range d.plans {
			if len(group) > 0 && !slices.Equal(names(group[0].mode), names(p.mode)) {
				tables = append(tables, markdown(group))
				group = nil
			}
			group = append(group, p)
		}
	}
	return strings.Join(append(tables, markdown(group)), "\n")
}
