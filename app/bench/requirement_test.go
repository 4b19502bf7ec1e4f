//go:build linux

package main

import (
	"strings"
	"testing"
	"time"
)

// planWith returns a plan with one result for each CPU, whose p99 is ten times as many milliseconds.
func planWith(name string, cpus ...float64) *plan {
	p := &plan{target: name, mode: "fanout"}
	for _, cpu := range cpus {
		res := &result{Target: name}
		res.P99, res.ServerCPU = time.Duration(cpu*10)*time.Millisecond, cpu
		p.results = append(p.results, res)
	}
	return p
}

func TestRequirementsAreJudgedByMedians(t *testing.T) {
	twice := limit{name: "CPU, times the floor's", number: ratio(0, 1, serverCPU), most: 2}
	for _, test := range []struct {
		name  string
		plans []*plan
		limit limit
		holds bool
	}{
		{"median within, one run above", []*plan{planWith("burble", 9, 2, 1), planWith("floor", 1, 1, 1)}, twice, true},
		{"median above", []*plan{planWith("burble", 1, 2.2, 2.2), planWith("floor", 1, 1, 1)}, twice, false},
		{"two runs have a mean", []*plan{planWith("burble", 1, 3), planWith("floor", 1, 1)}, twice, true},
		{"p99 within", []*plan{planWith("burble", 3)}, limit{name: "p99", number: medianOfPlan(0, p99), most: 30}, true},
		{"p99 above", []*plan{planWith("burble", 4)}, limit{name: "p99", number: medianOfPlan(0, p99), most: 30}, false},
		{"at the least", []*plan{planWith("burble", 4)}, limit{name: "least", number: medianOfPlan(0, serverCPU), least: 4}, true},
		{"below the least", []*plan{planWith("burble", 4)}, limit{name: "least", number: medianOfPlan(0, serverCPU), least: 5}, false},
	} {
		lines, ok := requirement{test.name, test.plans, []limit{test.limit}}.judge()
		if passed := strings.HasPrefix(lines[1], "PASS: "); ok != test.holds || passed != ok {
			t.Errorf("%s: %v %q", test.name, ok, lines)
		}
	}
}

func TestRequirementsFailIfBurbleLosesAnything(t *testing.T) {
	for _, test := range []struct {
		name  string
		spoil func(*plan)
		holds bool
	}{
		{"nothing", func(*plan) {}, true},
		{"one missing", func(p *plan) { p.results[1].Missing = 1 }, false},
		{"one skipped", func(p *plan) { p.results[1].Skipped = 1 }, false},
		{"one repeated", func(p *plan) { p.results[1].Repeated = 1 }, false},
		{"a send refused", func(p *plan) { p.results[1].Refused = 1 }, false},
		{"a loss of a peer", func(p *plan) { p.target = "hub"; p.results[1].Missing = 1 }, true},
	} {
		p := planWith("burble", 1, 1, 1)
		test.spoil(p)
		if lines, ok := (requirement{plans: []*plan{p}}).judge(); ok != test.holds {
			t.Errorf("%s: %v %q", test.name, ok, lines)
		}
	}
}

func TestSummaryComparesWithTheFloorUnderTheSameWorkload(t *testing.T) {
	other := planWith("floor", 9, 9, 9)
	other.work.Rate = 1000
	rows := medianRows([]*plan{planWith("burble", 1, 3, 9), other, planWith("floor", 2, 2, 2)})
	text := strings.Join(rows, "\n") + "\n"
	if count := strings.Count(text, "x the floor's"); count != 1 || !strings.Contains(text, "ok, CPU 1.50 x the floor's\n") {
		t.Errorf("the rows are\n%s", text)
	}
}
