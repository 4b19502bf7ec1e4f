//go:build linux

package main

import (
	"fmt"
	"strings"
	"time"
)

// result is what one run has shown.
type result struct {
	Target string `json:"target"`
	Mode   string `json:"mode"`
	Work   work   `json:"work"`

	Deliveries int64         `json:"deliveries"` // measured: without those of the warming up
	PerSecond  float64       `json:"per_second"`
	P50        time.Duration `json:"p50"` // from a message's write to its arrival
	P99        time.Duration `json:"p99"`
	Max        time.Duration `json:"max"`
	LastP50    time.Duration `json:"last_p50,omitempty"` // to its arrival at the last client
	spent

	Memory      float64 `json:"memory"`      // bytes of the server's RSS by connection, when all have joined
	Resident    int64   `json:"resident"`    // its RSS at the end
	Connections int     `json:"connections"` // to Redis

	tally
	Missing int64         `json:"missing"` // messages that had not arrived when nothing more came
	Late    time.Duration `json:"late"`    // how far the bench itself fell behind its plan

	Took map[string]time.Duration `json:"took,omitempty"` // of the modes that measure times
}

// wrong says what should not be, or nothing.
func (r *result) wrong() string {
	var faults []string
	for _, fault := range []struct {
		count int64
		name  string
	}{
		{r.Missing, "missing"}, {r.Skipped, "skipped"}, {r.Again, "twice or late"}, {r.Stray, "of other rooms"},
		{r.Refused, "refused"}, {r.Closed, "connections lost"},
	} {
		if fault.count > 0 {
			faults = append(faults, fmt.Sprintf("%d %s", fault.count, fault.name))
		}
	}
	if r.Said != "" {
		faults = append(faults, "the server said: "+r.Said)
	}
	return strings.Join(faults, ", ")
}

// column is one number of a line.
type column struct {
	name  string
	width int
	text  func(*result) string
}

var columns = []column{
	{"target", -10, func(r *result) string { return r.Target }},
	{"clients", 7, func(r *result) string { return fmt.Sprint(r.Work.Clients) }},
	{"rooms", 6, func(r *result) string { return fmt.Sprint(r.Work.Rooms) }},
	{"msg/s", 6, func(r *result) string { return fmt.Sprint(r.Work.Rate) }},
	{"deliveries", 10, func(r *result) string { return fmt.Sprint(r.Deliveries) }},
	{"each s", 8, func(r *result) string { return fmt.Sprintf("%.0f", r.PerSecond) }},
	{"CPU s/M", 8, func(r *result) string { return fmt.Sprintf("%.2f", r.Server) }},
	{"redis s/M", 9, func(r *result) string { return fmt.Sprintf("%.2f", r.Redis) }},
	{"bench s/M", 9, func(r *result) string { return fmt.Sprintf("%.2f", r.Self) }},
	{"p50 ms", 8, func(r *result) string { return millis(r.P50) }},
	{"p99 ms", 8, func(r *result) string { return millis(r.P99) }},
	{"max ms", 8, func(r *result) string { return millis(r.Max) }},
	{"last p50", 8, func(r *result) string { return millis(r.LastP50) }},
	{"KB/conn", 7, func(r *result) string { return fmt.Sprintf("%.1f", r.Memory/1024) }},
	{"redis µs/msg", 12, func(r *result) string { return fmt.Sprintf("%.0f", r.RedisMicros) }},
	{"cmd/msg", 7, func(r *result) string { return fmt.Sprintf("%.1f", r.Commands) }},
	{"conns", 5, func(r *result) string { return fmt.Sprint(r.Connections) }},
	{"", 0, func(r *result) string { return r.verdict() }},
}

// verdict says that everything came once and in order, or what did not.
func (r *result) verdict() string {
	if wrong := r.wrong(); wrong != "" {
		return "WRONG: " + wrong
	}
	text := "ok"
	if r.Late > 100*time.Millisecond {
		text += fmt.Sprintf(" (the bench was up to %v late)", r.Late.Round(time.Millisecond))
	}
	return text
}

func millis(d time.Duration) string {
	if d == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f", float64(d.Microseconds())/1000)
}

// tableHead names the columns of line.
func tableHead() string { return row(func(c column) string { return c.name }) }

// line is the run in one line.
func (r *result) line() string { return row(func(c column) string { return c.text(r) }) }

func row(text func(column) string) string {
	var fields []string
	for _, c := range columns {
		fields = append(fields, fmt.Sprintf("%*s", c.width, text(c)))
	}
	return strings.TrimRight(strings.Join(fields, "  "), " ")
}
