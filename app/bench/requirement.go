//go:build linux

package main

import (
	"fmt"
	"slices"
	"strings"
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

// judge returns a line for each limit, and whether all hold. A message of Burble's that is
// lost, repeated or out of order in any run fails the requirement.
func (req requirement) judge() (lines []string, ok bool) {
	ok = true
	for _, p := range req.plans {
		if verdict := worstVerdict(p.results); p.target == "burble" && strings.HasPrefix(verdict, "FAIL") {
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
