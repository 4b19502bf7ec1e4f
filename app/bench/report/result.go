//go:build linux

package report

import (
	"fmt"
	"strings"
	"time"

	"burble/app/bench/load"
	"burble/app/bench/proc"
)

// Result is what one run measured.
type Result struct {
	Target string        `json:"target"`
	Mode   string        `json:"mode"`
	Work   load.Workload `json:"work"`

	load.Summary
	proc.Usage

	Memory      float64 `json:"memory"`      // growth of the server's RSS per connection after all have joined, in bytes
	Resident    int64   `json:"resident"`    // the server's RSS at the end, in bytes
	Connections int     `json:"connections"` // from the server to Redis

	// Mode resume:
	Opening  time.Duration `json:"opening,omitempty"`  // time to open the same number of connections without reading
	Resuming time.Duration `json:"resuming,omitempty"` // time until all clients had received everything
	Reads    int64         `json:"reads,omitempty"`    // number of stream reads in Redis, for all clients

	// Mode join, medians:
	Page     time.Duration `json:"page,omitempty"`      // time to get the newest entries as JSON
	PageHTML time.Duration `json:"page_html,omitempty"` // time to get the room's page
	Joining  time.Duration `json:"joining,omitempty"`   // time to open a WebSocket and receive the newest entries

	// Mode start, time since exec:
	Listening time.Duration `json:"listening,omitempty"` // until it accepts a connection
	Ready     time.Duration `json:"ready,omitempty"`     // until /readyz returns 200
}

// Faults lists everything that went wrong. It is "" if nothing did.
func (r *Result) Faults() string {
	var faults []string
	for _, fault := range []struct {
		count int64
		name  string
	}{
		{r.Missing, "missing"}, {r.Skipped, "skipped"}, {r.Repeated, "repeated or out of order"}, {r.WrongRoom, "of other rooms"},
		{r.Refused, "refused"}, {r.Closed, "connections closed"},
	} {
		if fault.count > 0 {
			faults = append(faults, fmt.Sprintf("%d %s", fault.count, fault.name))
		}
	}
	if r.FirstError != "" {
		faults = append(faults, "first error: "+r.FirstError)
	}
	return strings.Join(faults, ", ")
}

// verdict returns the faults, or "ok" if every message arrived once and in order.
func (r *Result) verdict() string {
	if faults := r.Faults(); faults != "" {
		return "FAIL: " + faults
	}
	if r.Late > 100*time.Millisecond {
		return fmt.Sprintf("ok (the bench was up to %v late)", r.Late.Round(time.Millisecond))
	}
	return "ok"
}
