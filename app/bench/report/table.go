//go:build linux

package report

import (
	"fmt"
	"strings"
)

// column is a column of the tables. It shows a number from a result, or its median over several results.
type column struct {
	name     string
	decimals int
	number   func(*Result) float64
}

var (
	deliveryColumns = []column{
		{"deliveries", 0, func(r *Result) float64 { return float64(r.Deliveries) }},
		{"per s", 0, func(r *Result) float64 { return r.PerSecond }},
		{"CPU s/M", 2, func(r *Result) float64 { return r.ServerCPU }},
		{"redis s/M", 2, func(r *Result) float64 { return r.RedisCPU }},
		{"bench s/M", 2, func(r *Result) float64 { return r.BenchCPU }},
		{"p50 ms", 2, func(r *Result) float64 { return Milliseconds(r.P50) }},
		{"p99 ms", 2, func(r *Result) float64 { return Milliseconds(r.P99) }},
		{"max ms", 1, func(r *Result) float64 { return Milliseconds(r.Max) }},
		{"last ms", 2, func(r *Result) float64 { return Milliseconds(r.LastP50) }},
		{"KB/conn", 1, func(r *Result) float64 { return r.Memory / 1024 }},
		{"redis µs/msg", 0, func(r *Result) float64 { return r.RedisMicros }},
		{"cmd/msg", 1, func(r *Result) float64 { return r.Commands }},
		{"conns", 0, func(r *Result) float64 { return float64(r.Connections) }},
	}
	resumeColumns = []column{
		{"missed", 0, func(r *Result) float64 { return float64(r.Work.Missed) }},
		{"open ms", 0, func(r *Result) float64 { return Milliseconds(r.Opening) }},
		{"resumed ms", 0, func(r *Result) float64 { return Milliseconds(r.Resuming) }},
		{"CPU s/M", 2, func(r *Result) float64 { return r.ServerCPU }},
		{"redis s/M", 2, func(r *Result) float64 { return r.RedisCPU }},
		{"redis reads", 0, func(r *Result) float64 { return float64(r.Reads) }},
		{"conns", 0, func(r *Result) float64 { return float64(r.Connections) }},
	}
	joinColumns = []column{
		{"entries", 0, func(r *Result) float64 { return float64(r.Work.Entries) }},
		{"JSON ms", 2, func(r *Result) float64 { return Milliseconds(r.Page) }},
		{"page ms", 2, func(r *Result) float64 { return Milliseconds(r.PageHTML) }},
		{"follow ms", 2, func(r *Result) float64 { return Milliseconds(r.Joining) }},
	}
	startColumns = []column{
		{"listening ms", 1, func(r *Result) float64 { return Milliseconds(r.Listening) }},
		{"ready ms", 1, func(r *Result) float64 { return Milliseconds(r.Ready) }},
	}
)

func columnsOf(mode string) []column {
	switch mode {
	case "resume":
		return resumeColumns
	case "join":
		return joinColumns
	case "start":
		return startColumns
	}
	return deliveryColumns
}

func columnNames(mode string) (names []string) {
	for _, c := range columnsOf(mode) {
		names = append(names, c.name)
	}
	return names
}

// Header returns the names of a mode's columns, aligned with Row.
func Header(mode string) string {
	text := fmt.Sprintf("%-11s%8s%7s%7s", "target", "clients", "rooms", "msg/s")
	for _, c := range columnsOf(mode) {
		text += fmt.Sprintf("  %*s", c.width(), c.name)
	}
	return text
}

// Row formats one result, or the medians of several.
func Row(results ...*Result) string {
	first := results[0]
	text := fmt.Sprintf("%-11s%8d%7d%7d", first.Target, first.Work.Clients, first.Work.Rooms, first.Work.Rate)
	for _, c := range columnsOf(first.Mode) {
		text += fmt.Sprintf("  %*s", c.width(), c.cell(results))
	}
	return text + "  " + worstVerdict(results)
}

// cell formats the median. It returns a dash for zero, which means that the
// number was not measured.
func (c column) cell(results []*Result) string {
	if value := median(results, c.number); value != 0 {
		return fmt.Sprintf("%.*f", c.decimals, value)
	}
	return "-"
}

func (c column) width() int { return max(8, len([]rune(c.name))) }

// worstVerdict returns the verdict of the first result with faults, or "ok".
func worstVerdict(results []*Result) string {
	for _, r := range results {
		if r.Faults() != "" {
			return r.verdict()
		}
	}
	if len(results) == 1 {
		return results[0].verdict()
	}
	return "ok"
}

// Table returns the medians of each plan as a Markdown table.
func Table(plans []*Plan) string {
	if len(plans) == 0 {
		return ""
	}
	columns := columnsOf(plans[0].Mode)
	header := append([]string{"target", "clients", "rooms", "msg/s"}, columnNames(plans[0].Mode)...)
	rows := []string{strings.Join(header, " | "), "---" + strings.Repeat(" | --:", len(header)-1)}
	for _, p := range plans {
		cells := []string{p.Target, fmt.Sprint(p.Work.Clients), fmt.Sprint(p.Work.Rooms), fmt.Sprint(p.Work.Rate)}
		for _, c := range columns {
			cells = append(cells, c.cell(p.Results))
		}
		rows = append(rows, strings.Join(cells, " | "))
	}
	return "| " + strings.Join(rows, " |\n| ") + " |\n"
}

// MedianRows formats the medians of each plan, and the CPU relative to the floor's.
func MedianRows(plans []*Plan) (rows []string) {
	for _, p := range plans {
		text := Row(p.Results...)
		if floor := floorCPU(plans, p); floor > 0 {
			text += fmt.Sprintf(", CPU %.2f x the floor's", median(p.Results, ServerCPU)/floor)
		}
		rows = append(rows, text)
	}
	return rows
}

// floorCPU returns the CPU of the floor for the workload of p, or 0 if it was not measured.
func floorCPU(plans []*Plan, p *Plan) float64 {
	for _, other := range plans {
		if other.Target == "floor" && other != p && other.Work.Rate == p.Work.Rate && other.Work.Rooms == p.Work.Rooms {
			return median(other.Results, ServerCPU)
		}
	}
	return 0
}
