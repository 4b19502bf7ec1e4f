//go:build linux

package report

import (
	"fmt"
	"slices"
	"strings"
)

// Requirement is a claim about Burble, with the plans to run and the limits for their results.
type Requirement struct {
	Name   string
	Plans  []*Plan
	Limits []Limit
}

// Limit is a limit for a number that is computed from the medians of a requirement's plans.
type Limit struct {
	Name  string
	Value func([]*Plan) float64
	Max   float64
	Min   float64 // a lower bound; unless it is 0, it replaces Max
}

func (l Limit) holds(value float64) bool {
	if l.Min != 0 {
		return value >= l.Min
	}
	return value <= l.Max
}

// MedianOf returns a function that computes the median of one plan's results.
func MedianOf(index int, number func(*Result) float64) func([]*Plan) float64 {
	return func(plans []*Plan) float64 { return median(plans[index].Results, number) }
}

// Ratio returns a function that divides the median of one plan by the median of another.
func Ratio(dividend, divisor int, number func(*Result) float64) func([]*Plan) float64 {
	return func(plans []*Plan) float64 {
		return median(plans[dividend].Results, number) / median(plans[divisor].Results, number)
	}
}

// Check returns a line for each limit, and whether all limits hold. The requirement also fails if
// Burble loses, repeats or reorders a message in any run.
func (req Requirement) Check() (lines []string, ok bool) {
	ok = true
	for _, p := range req.Plans {
		if verdict := worstVerdict(p.Results); p.Target == "burble" && strings.HasPrefix(verdict, "FAIL") {
			lines, ok = append(lines, verdict), false
		}
	}
	if len(lines) == 0 {
		lines = append(lines, "PASS: every message arrived once and in order")
	}
	for _, l := range req.Limits {
		value, word, bound := l.Value(req.Plans), "PASS", fmt.Sprintf("at most %g", l.Max)
		if l.Min != 0 {
			bound = fmt.Sprintf("at least %g", l.Min)
		}
		if !l.holds(value) {
			word, ok = "FAIL", false
		}
		lines = append(lines, fmt.Sprintf("%s: %s: %.2f (%s)", word, l.Name, value, bound))
	}
	return lines, ok
}

// Tables returns a Markdown table for each group of plans with the same columns.
func Tables(requirements []Requirement) string {
	var tables []string
	var group []*Plan
	for _, req := range requirements {
		for _, p := range req.Plans {
			if len(group) > 0 && !slices.Equal(columnNames(group[0].Mode), columnNames(p.Mode)) {
				tables = append(tables, Table(group))
				group = nil
			}
			group = append(group, p)
		}
	}
	return strings.Join(append(tables, Table(group)), "\n")
}
