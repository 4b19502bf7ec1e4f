//go:build linux

package main

import (
	"fmt"
	"slices"
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

	// Of resume.
	Opening  time.Duration `json:"opening,omitempty"`  // until so many connections were open that do nothing else
	Resuming time.Duration `json:"resuming,omitempty"` // until all who resumed had everything
	Reads    int64         `json:"reads,omitempty"`    // of streams in Redis, for all of them

	// Of join.
	Page     time.Duration `json:"page,omitempty"`      // the newest entries as JSON, p50
	PageHTML time.Duration `json:"page_html,omitempty"` // the room's page, p50
	Joining  time.Duration `json:"joining,omitempty"`   // from a follow to the newest entries, p50

	// Of start.
	Listening time.Duration `json:"listening,omitempty"` // from the exec to the first connection
	Ready     time.Duration `json:"ready,omitempty"`     // to the first 200 of /readyz
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

// verdict says that everything came once and in order, or what did not.
func (r *result) verdict() string {
	if wrong := r.wrong(); wrong != "" {
		return "WRONG: " + wrong
	}
	if r.Late > 100*time.Millisecond {
		return fmt.Sprintf("ok (the bench was up to %v late)", r.Late.Round(time.Millisecond))
	}
	return "ok"
}

// median is the middle of what the runs have shown, the mean of two if there is none.
func median(runs []*result, of func(*result) float64) float64 {
	var all []float64
	for _, r := range runs {
		all = append(all, of(r))
	}
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return (all[(len(all)-1)/2] + all[len(all)/2]) / 2
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
