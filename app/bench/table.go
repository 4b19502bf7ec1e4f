//go:build linux

package main

import (
	"fmt"
	"strings"
)

// column is one number of a run, or of the medians of several.
type column struct {
	name   string
	digits int // behind the point
	of     func(*result) float64
}

// The columns of the modes.
var (
	deliveryColumns = []column{
		{"deliveries", 0, func(r *result) float64 { return float64(r.Deliveries) }},
		{"each s", 0, func(r *result) float64 { return r.PerSecond }},
		{"CPU s/M", 2, func(r *result) float64 { return r.Server }},
		{"redis s/M", 2, func(r *result) float64 { return r.Redis }},
		{"bench s/M", 2, func(r *result) float64 { return r.Self }},
		{"p50 ms", 2, func(r *result) float64 { return ms(r.P50) }},
		{"p99 ms", 2, func(r *result) float64 { return ms(r.P99) }},
		{"max ms", 1, func(r *result) float64 { return ms(r.Max) }},
		{"last ms", 2, func(r *result) float64 { return ms(r.LastP50) }},
		{"KB/conn", 1, func(r *result) float64 { return r.Memory / 1024 }},
		{"redis µs/msg", 0, func(r *result) float64 { return r.RedisMicros }},
		{"cmd/msg", 1, func(r *result) float64 { return r.Commands }},
		{"conns", 0, func(r *result) float64 { return float64(r.Connections) }},
	}
	resumeColumns = []column{
		{"missed", 0, func(r *result) float64 { return float64(r.Work.Missed) }},
		{"open ms", 0, func(r *result) float64 { return ms(r.Opening) }},
		{"resumed ms", 0, func(r *result) float64 { return ms(r.Resuming) }},
		{"CPU s/M", 2, func(r *result) float64 { return r.Server }},
		{"redis s/M", 2, func(r *result) float64 { return r.Redis }},
		{"redis reads", 0, func(r *result) float64 { return float64(r.Reads) }},
		{"conns", 0, func(r *result) float64 { return float64(r.Connections) }},
	}
	joinColumns = []column{
		{"entries", 0, func(r *result) float64 { return float64(r.Work.Entries) }},
		{"JSON ms", 2, func(r *result) float64 { return ms(r.Page) }},
		{"page ms", 2, func(r *result) float64 { return ms(r.PageHTML) }},
		{"follow ms", 2, func(r *result) float64 { return ms(r.Joining) }},
	}
	startColumns = []column{
		{"listening ms", 1, func(r *result) float64 { return ms(r.Listening) }},
		{"ready ms", 1, func(r *result) float64 { return ms(r.Ready) }},
	}
)

// columnsOf are the columns of a mode.
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

// names are those of a mode's columns.
func names(mode string) (names []string) {
	for _, c := range columnsOf(mode) {
		names = append(names, c.name)
	}
	return names
}

// tableHead names the columns of a mode.
func tableHead(mode string) string {
	text := fmt.Sprintf("%-11s%8s%7s%7s", "target", "clients", "rooms", "msg/s")
	for _, c := range columnsOf(mode) {
		text += fmt.Sprintf("  %*s", c.width(), c.name)
	}
	return text
}

// line is a run, or the medians of several, in one line.
func line(runs ...*result) string {
	first := runs[0]
	text := fmt.Sprintf("%-11s%8d%7d%7d", first.Target, first.Work.Clients, first.Work.Rooms, first.Work.Rate)
	for _, c := range columnsOf(first.Mode) {
		text += fmt.Sprintf("  %*s", c.width(), c.text(runs))
	}
	return text + "  " + verdict(runs)
}

// text is the median, or a dash where there is nothing to measure.
func (c column) text(runs []*result) string {
	if value := median(runs, c.of); value != 0 {
		return fmt.Sprintf("%.*f", c.digits, value)
	}
	return "-"
}

func (c column) width() int { return max(8, len([]rune(c.name))) }

// verdict is that of the runs, which is as bad as the worst.
func verdict(runs []*result) string {
	for _, r := range runs {
		if r.wrong() != "" {
			return r.verdict()
		}
	}
	if len(runs) == 1 {
		return runs[0].verdict()
	}
	return "ok"
}

// markdown is the medians of each plan as a table, for a README.
func markdown(done []*plan) string {
	if len(done) == 0 {
		return ""
	}
	columns := columnsOf(done[0].mode)
	heads := append([]string{"target", "clients", "rooms", "msg/s"}, names(done[0].mode)...)
	rows := []string{strings.Join(heads, " | "), "---" + strings.Repeat(" | --:", len(heads)-1)}
	for _, p := range done {
		cells := []string{p.target.name, fmt.Sprint(p.work.Clients), fmt.Sprint(p.work.Rooms), fmt.Sprint(p.work.Rate)}
		for _, c := range columns {
			cells = append(cells, c.text(p.results))
		}
		rows = append(rows, strings.Join(cells, " | "))
	}
	return "| " + strings.Join(rows, " |\n| ") + " |\n"
}
