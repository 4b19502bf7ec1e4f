//go:build linux

package main

import (
	"fmt"
	"strings"
)

// column is a column of the tables: a number of a result. Of several results it is the median.
type column struct {
	name     string
	decimals int
	number   func(*result) float64
}

var (
	deliveryColumns = []column{
		{"deliveries", 0, func(r *result) float64 { return float64(r.Deliveries) }},
		{"per s", 0, func(r *result) float64 { return r.PerSecond }},
		{"CPU s/M", 2, func(r *result) float64 { return r.ServerCPU }},
		{"redis s/M", 2, func(r *result) float64 { return r.RedisCPU }},
		{"bench s/M", 2, func(r *result) float64 { return r.BenchCPU }},
		{"p50 ms", 2, func(r *result) float64 { return milliseconds(r.P50) }},
		{"p99 ms", 2, func(r *result) float64 { return milliseconds(r.P99) }},
		{"max ms", 1, func(r *result) float64 { return milliseconds(r.Max) }},
		{"last ms", 2, func(r *result) float64 { return milliseconds(r.LastP50) }},
		{"KB/conn", 1, func(r *result) float64 { return r.Memory / 1024 }},
		{"redis µs/msg", 0, func(r *result) float64 { return r.RedisMicros }},
		{"cmd/msg", 1, func(r *result) float64 { return r.Commands }},
		{"conns", 0, func(r *result) float64 { return float64(r.Connections) }},
	}
	resumeColumns = []column{
		{"missed", 0, func(r *result) float64 { return float64(r.Work.Missed) }},
		{"open ms", 0, func(r *result) float64 { return milliseconds(r.Opening) }},
		{"resumed ms", 0, func(r *result) float64 { return milliseconds(r.Resuming) }},
		{"CPU s/M", 2, func(r *result) float64 { return r.ServerCPU }},
		{"redis s/M", 2, func(r *result) float64 { return r.RedisCPU }},
		{"redis reads", 0, func(r *result) float64 { return float64(r.Reads) }},
		{"conns", 0, func(r *result) float64 { return float64(r.Connections) }},
	}
	joinColumns = []column{
		{"entries", 0, func(r *result) float64 { return float64(r.Work.Entries) }},
		{"JSON ms", 2, func(r *result) float64 { return milliseconds(r.Page) }},
		{"page ms", 2, func(r *result) float64 { return milliseconds(r.PageHTML) }},
		{"follow ms", 2, func(r *result) float64 { return milliseconds(r.Joining) }},
	}
	startColumns = []column{
		{"listening ms", 1, func(r *result) float64 { return milliseconds(r.Listening) }},
		{"ready ms", 1, func(r *result) float64 { return milliseconds(r.Ready) }},
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

func tableHeader(mode string) string {
	text := fmt.Sprintf("%-11s%8s%7s%7s", "target", "clients", "rooms", "msg/s")
	for _, c := range columnsOf(mode) {
		text += fmt.Sprintf("  %*s", c.width(), c.name)
	}
	return text
}

// tableRow formats one result, or the medians of several.
func tableRow(results ...*result) string {
	first := results[0]
	text := fmt.Sprintf("%-11s%8d%7d%7d", first.Target, first.Work.Clients, first.Work.Rooms, first.Work.Rate)
	for _, c := range columnsOf(first.Mode) {
		text += fmt.Sprintf("  %*s", c.width(), c.cell(results))
	}
	return text + "  " + worstVerdict(results)
}

// cell formats the median, or a dash if nothing was measured.
func (c column) cell(results []*result) string {
	if value := median(results, c.number); value != 0 {
		return fmt.Sprintf("%.*f", c.decimals, value)
	}
	return "-"
}

func (c column) width() int { return max(8, len([]rune(c.name))) }

// worstVerdict returns the verdict of the first result with faults, or "ok".
func worstVerdict(results []*result) string {
	for _, r := range results {
		if r.faults() != "" {
			return r.verdict()
		}
	}
	if len(results) == 1 {
		return results[0].verdict()
	}
	return "ok"
}

// markdownTable returns the medians of each plan as a Markdown table.
func markdownTable(plans []*plan) string {
	if len(plans) == 0 {
		return ""
	}
	columns := columnsOf(plans[0].mode)
	header := append([]string{"target", "clients", "rooms", "msg/s"}, columnNames(plans[0].mode)...)
	rows := []string{strings.Join(header, " | "), "---" + strings.Repeat(" | --:", len(header)-1)}
	for _, p := range plans {
		cells := []string{p.target, fmt.Sprint(p.work.Clients), fmt.Sprint(p.work.Rooms), fmt.Sprint(p.work.Rate)}
		for _, c := range columns {
			cells = append(cells, c.cell(p.results))
		}
		rows = append(rows, strings.Join(cells, " | "))
	}
	return "| " + strings.Join(rows, " |\n| ") + " |\n"
}

// medianRows formats the medians of each plan, and their CPU as a multiple of the floor's.
func medianRows(plans []*plan) (rows []string) {
	for _, p := range plans {
		text := tableRow(p.results...)
		if floor := floorCPU(plans, p); floor > 0 {
			text += fmt.Sprintf(", CPU %.2f x the floor's", median(p.results, serverCPU)/floor)
		}
		rows = append(rows, text)
	}
	return rows
}

// floorCPU returns the CPU of the floor under the workload of p, 0 if that was not measured.
func floorCPU(plans []*plan, p *plan) float64 {
	for _, other := range plans {
		if other.target == "floor" && other != p && other.work.Rate == p.work.Rate && other.work.Rooms == p.work.Rooms {
			return median(other.results, serverCPU)
		}
	}
	return 0
}
