//go:build linux

package main

import (
	"slices"
	"time"
)

// plan is one workload for one target, and the results of its runs.
type plan struct {
	target  string
	mode    string
	work    workload
	results []*result
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

// serverCPU returns the server's CPU seconds per million deliveries.
func serverCPU(r *result) float64 { return r.ServerCPU }

// p99 returns the 99th percentile of the latency in milliseconds.
func p99(r *result) float64 { return milliseconds(r.P99) }

// milliseconds returns a duration in milliseconds.
func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
