//go:build linux

package main

import (
	"strings"
	"testing"
	"time"
)

// shown makes a plan that has shown this CPU in its runs, and a p99 of ten times as
// many milliseconds.
func shown(name string, cpus ...float64) *plan {
	p := &plan{target: target{name: name}, mode: "fanout"}
	for _, cpu := range cpus {
		got := &result{Target: name, P99: time.Duration(cpu*10) * time.Millisecond}
		got.Server = cpu
		p.results = append(p.results, got)
	}
	return p
}

func TestSuiteHoldsOrFailsByItsMedians(t *testing.T) {
	twice := limit{what: "CPU, times the floor's", of: times(0, 1, cpu), most: 2}
	for _, test := range []struct {
		name  string
		plans []*plan
		limit limit
		holds bool
	}{
		{"the median is within, though a run was not", []*plan{shown("burble", 9, 2, 1), shown("floor", 1, 1, 1)}, twice, true},
		{"the median is above", []*plan{shown("burble", 1, 2.2, 2.2), shown("floor", 1, 1, 1)}, twice, false},
		{"two runs have a mean", []*plan{shown("burble", 1, 3), shown("floor", 1, 1)}, twice, true},
		{"p99 is within", []*plan{shown("burble", 3)}, limit{what: "p99", of: of(0, p99), most: 30}, true},
		{"p99 is above", []*plan{shown("burble", 4)}, limit{what: "p99", of: of(0, p99), most: 30}, false},
		{"enough", []*plan{shown("burble", 4)}, limit{what: "much", of: of(0, cpu), least: 4}, true},
		{"not enough", []*plan{shown("burble", 4)}, limit{what: "much", of: of(0, cpu), least: 5}, false},
	} {
		lines, ok := demand{test.name, test.plans, []limit{test.limit}}.judge()
		if said := strings.HasPrefix(lines[1], "holds: "); ok != test.holds || said != ok {
			t.Errorf("%s: %v %q", test.name, ok, lines)
		}
	}
}

func TestSuiteFailsWhenAnythingOfBurblesWasLostOnce(t *testing.T) {
	for _, test := range []struct {
		name  string
		spoil func(*plan)
		holds bool
	}{
		{"nothing", func(*plan) {}, true},
		{"one was missing", func(p *plan) { p.results[1].Missing = 1 }, false},
		{"one was skipped", func(p *plan) { p.results[1].Skipped = 1 }, false},
		{"one came twice", func(p *plan) { p.results[1].Again = 1 }, false},
		{"a send was refused", func(p *plan) { p.results[1].Refused = 1 }, false},
		{"a peer lost something", func(p *plan) { p.target.name = "hub"; p.results[1].Missing = 1 }, true},
	} {
		p := shown("burble", 1, 1, 1)
		test.spoil(p)
		if lines, ok := (demand{plans: []*plan{p}}).judge(); ok != test.holds {
			t.Errorf("%s: %v %q", test.name, ok, lines)
		}
	}
}

func TestSummaryComparesWithTheFloorAtTheSameWork(t *testing.T) {
	var out strings.Builder
	b := &bench{out: &out, runs: 3}
	other := shown("floor", 9, 9, 9)
	other.work.Rate = 1000
	b.summary([]*plan{shown("burble", 1, 3, 9), other, shown("floor", 2, 2, 2)})
	if count := strings.Count(out.String(), "x the floor's"); count != 1 || !strings.Contains(out.String(), "ok, CPU 1.50 x the floor's\n") {
		t.Errorf("it says\n%s", out.String())
	}
}

func TestEveryDemandCanBeRun(t *testing.T) {
	b, err := parseFlags([]string{"-suite", "all", "-centrifugo", "1"})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range append(b.headline(), b.rest()...) {
		for _, p := range d.plans {
			if err := p.work.check(); err != nil || modes[p.mode] == nil || p.work.Lasts == 0 {
				t.Errorf("%s: %s %+v: %v", d.what, p.mode, p.work, err)
			}
		}
	}
}
