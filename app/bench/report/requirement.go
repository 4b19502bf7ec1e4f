//go:build linux

package report

import (
	"fmt"
	"slices"
	"strings"
)

// Requirement is a claim about Burble: what to run, and the limits of what it measures.
type Requirement struct {
	Name   string
	Plans  []*Plan
	Limits []Limit
}

// Limit bounds a number computed from the medians of a requirement's plans.
type Limit struct {
	Name   string
	Number func([]*Plan) float64
	Most   float64
	Least  float64 // a lower bound, which replaces Most unless it is 0
}

func (l Limit) holds(value float64) bool {
	if l.Least != 0 {
		return value >= l.Least
	}
	return value <= l.Most
}

// MedianOf returns a function that computes the median of one plan.
func MedianOf(index int, number func(*Result) float64) func([]*Plan) float64 {
	return func(plans []*Plan) float64 { return median(plans[index].Results, number) }
}

// Ratio returns a function that divides the median of one plan by that of another.
func Ratio(dividend, divisor int, number func(*Result) float64) func([]*Plan) float64 {
	return func(plans []*Plan) float64 {
		return median(plans[dividend].Results, number) / median(plans[divisor].Results, number)
	}
}

// Judge returns a line for each limit, and whether all of them hold. A message that Burble
// loses, repeats or reorders in any run fails the requirement.
func (req Requirement) Judge() (lines []string, ok bool) {
	ok = true
	for _, p := range req.Plans {
		if verdict := worstVerdict(p.Results); p.Target == "burble" && strings.HasPrefix(verdict, "FAIL") {
			lines, ok = append(lines, verdict), false
		}
	}
	if len(lines) == 0 {
		lines = append(lines, "PASS: everything once and in order")
	}
	for _, l := range req.Limits {
		value, word, bound := l.Number(req.Plans), "PASS", fmt.Sprintf("at most %g", l.Most)
		if l.Least != 0 {
			bound = fmt.Sprintf("at least %g", l.Least)
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
