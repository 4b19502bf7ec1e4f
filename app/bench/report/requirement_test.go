//go:build linux

package report

import (
	"strings"
	"testing"
	"time"
)

// planWith returns a plan with one result for each CPU value. A result with CPU n has a p99 of 10n ms.
func planWith(name string, cpus ...float64) *Plan {
	p := &Plan{Target: name, Mode: "fanout"}
	for _, cpu := range cpus {
		res := &Result{Target: name}
		res.P99, res.ServerCPU = time.Duration(cpu*10)*time.Millisecond, cpu
		p.Results = append(p.Results, res)
	}
	return p
}

func TestRequirementsUseMedians(t *testing.T) {
	t.Parallel()
	twice := Limit{Name: "CPU relative to the floor", Value: Ratio(0, 1, ServerCPU), Max: 2}
	for _, test := range []struct {
		name  string
		plans []*Plan
		limit Limit
		holds bool
	}{
		{"median within, one run above", []*Plan{planWith("burble", 9, 2, 1), planWith("floor", 1, 1, 1)}, twice, true},
		{"median above", []*Plan{planWith("burble", 1, 2.2, 2.2), planWith("floor", 1, 1, 1)}, twice, false},
		{"the median of two runs is their mean", []*Plan{planWith("burble", 1, 3), planWith("floor", 1, 1)}, twice, true},
		{"p99 within", []*Plan{planWith("burble", 3)}, Limit{Name: "p99", Value: MedianOf(0, P99), Max: 30}, true},
		{"p99 above", []*Plan{planWith("burble", 4)}, Limit{Name: "p99", Value: MedianOf(0, P99), Max: 30}, false},
		{"equal to the minimum", []*Plan{planWith("burble", 4)}, Limit{Name: "least", Value: MedianOf(0, ServerCPU), Min: 4}, true},
		{"below the minimum", []*Plan{planWith("burble", 4)}, Limit{Name: "least", Value: MedianOf(0, ServerCPU), Min: 5}, false},
	} {
		lines, ok := Requirement{test.name, test.plans, []Limit{test.limit}}.Check()
		if passed := strings.HasPrefix(lines[1], "PASS: "); ok != test.holds || passed != ok {
			t.Errorf("%s: Check() = %q, %v; want %v", test.name, lines, ok, test.holds)
		}
	}
}

func TestRequirementsFailOnFaultsOfBurble(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		spoil func(*Plan)
		holds bool
	}{
		{"nothing", func(*Plan) {}, true},
		{"one missing", func(p *Plan) { p.Results[1].Missing = 1 }, false},
		{"one skipped", func(p *Plan) { p.Results[1].Skipped = 1 }, false},
		{"one repeated", func(p *Plan) { p.Results[1].Repeated = 1 }, false},
		{"a send refused", func(p *Plan) { p.Results[1].Refused = 1 }, false},
		{"another server loses one", func(p *Plan) { p.Target = "hub"; p.Results[1].Missing = 1 }, true},
	} {
		p := planWith("burble", 1, 1, 1)
		test.spoil(p)
		if lines, ok := (Requirement{Plans: []*Plan{p}}).Check(); ok != test.holds {
			t.Errorf("%s: Check() = %q, %v; want %v", test.name, lines, ok, test.holds)
		}
	}
}

func TestMedianRowsCompareWithFloorOfSameWorkload(t *testing.T) {
	t.Parallel()
	other := planWith("floor", 9, 9, 9)
	other.Work.Rate = 1000
	rows := MedianRows([]*Plan{planWith("burble", 1, 3, 9), other, planWith("floor", 2, 2, 2)})
	text := strings.Join(rows, "\n") + "\n"
	if count := strings.Count(text, "x the floor's"); count != 1 || !strings.Contains(text, "ok, CPU 1.50 x the floor's\n") {
		t.Errorf("the rows compare %d times with the floor, want once, at 1.50 x:\n%s", count, text)
	}
}
