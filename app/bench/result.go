//go:build linux

package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// result is what one run measured.
type result struct {
	Target string   `json:"target"`
	Mode   string   `json:"mode"`
	Work   workload `json:"work"`

	Deliveries int64         `json:"deliveries"` // without those of the warm-up
	PerSecond  float64       `json:"per_second"` // deliveries
	P50        time.Duration `json:"p50"`        // latency, from a message's write to its arrival at a client
	P99        time.Duration `json:"p99"`
	Max        time.Duration `json:"max"`
	LastP50    time.Duration `json:"last_p50,omitempty"` // median latency of the last client to receive a message
	usage

	Memory      float64 `json:"memory"`      // bytes of the server's RSS per connection, when all have joined
	Resident    int64   `json:"resident"`    // the server's RSS at the end, in bytes
	Connections int     `json:"connections"` // of the server to Redis

	counts
	Missing int64         `json:"missing"` // messages that never arrived
	Late    time.Duration `json:"late"`    // how far the bench itself fell behind its schedule

	// Mode resume:
	Opening  time.Duration `json:"opening,omitempty"`  // until as many idle connections were open
	Resuming time.Duration `json:"resuming,omitempty"` // until all clients had received everything
	Reads    int64         `json:"reads,omitempty"`    // of streams in Redis, for all clients

	// Mode join, medians:
	Page     time.Duration `json:"page,omitempty"`      // the newest entries as JSON
	PageHTML time.Duration `json:"page_html,omitempty"` // the room's page
	Joining  time.Duration `json:"joining,omitempty"`   // from opening a WebSocket to the newest entries

	// Mode start, from exec:
	Listening time.Duration `json:"listening,omitempty"` // until it accepts a connection
	Ready     time.Duration `json:"ready,omitempty"`     // until /readyz returns 200
}

// faults returns everything that went wrong, or "".
func (r *result) faults() string {
	var faults []string
	for _, fault := range []struct {
		count int64
		name  string
	}{
		{r.Missing, "missing"}, {r.Skipped, "skipped"}, {r.Repeated, "repeated or out of order"}, {r.Stray, "of other rooms"},
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

// verdict returns "ok" if everything arrived once and in order, else the faults.
func (r *result) verdict() string {
	if faults := r.faults(); faults != "" {
		return "FAIL: " + faults
	}
	if r.Late > 100*time.Millisecond {
		return fmt.Sprintf("ok (the bench was up to %v late)", r.Late.Round(time.Millisecond))
	}
	return "ok"
}

// median returns the median of a number of the results; of an even count, the mean of the
// two in the middle.
func median(results []*result, number func(*result) float64) float64 {
	var all []float64
	for _, r := range results {
		all = append(all, number(r))
	}
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return (all[(len(all)-1)/2] + all[len(all)/2]) / 2
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
