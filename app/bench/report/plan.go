//go:build linux

package report

import (
	"slices"
	"time"

	"burble/app/bench/load"
)

// Plan is one workload for one target, and the results of its runs.
type Plan struct {
	Target  string
	Mode    string
	Work    load.Workload
	Results []*Result
}

// median returns the median of a number over the results. For an even number of results, it is the
// mean of the middle two.
func median(results []*Result, number func(*Result) float64) float64 {
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

// ServerCPU returns the server's CPU seconds per million deliveries.
func ServerCPU(r *Result) float64 { return r.ServerCPU }

// P99 returns the 99th percentile of the latency in milliseconds.
func P99(r *Result) float64 { return Milliseconds(r.P99) }

// Milliseconds returns a duration in milliseconds.
func Milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
