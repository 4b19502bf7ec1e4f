//go:build linux

package load

import "time"

// Summary is what the clients of a run measured.
type Summary struct {
	Deliveries int64         `json:"deliveries"` // excludes the warm-up
	PerSecond  float64       `json:"per_second"` // deliveries per second
	P50        time.Duration `json:"p50"`        // latency, from a message's write to its arrival at a client
	P99        time.Duration `json:"p99"`
	Max        time.Duration `json:"max"`
	LastP50    time.Duration `json:"last_p50,omitempty"` // median latency of the last client to receive a message

	Counts
	Missing int64         `json:"missing"` // messages that did not arrive
	Late    time.Duration `json:"late"`    // how far the bench itself fell behind schedule
}

// Add merges the summary of other clients that ran at the same time. It adds up counts, and keeps the
// higher value of each latency.
func (s *Summary) Add(other *Summary) {
	s.Deliveries += other.Deliveries
	s.PerSecond += other.PerSecond
	s.P50, s.P99, s.Max = max(s.P50, other.P50), max(s.P99, other.P99), max(s.Max, other.Max)
	s.LastP50, s.Late = max(s.LastP50, other.LastP50), max(s.Late, other.Late)
	s.Missing += other.Missing
	s.Counts.add(&other.Counts)
}

// Finish closes the connections and returns what the clients measured.
func (l *Load) Finish(pace *Pacer) Summary {
	l.Stop()
	total := Summary{Counts: *l.Receiving.Stop(), Missing: l.Receiving.Missing(pace.sent), Late: pace.maxDelay}
	if l.sending != l.Receiving {
		total.Refused += l.sending.Stop().Refused
		total.Closed += l.sending.Stop().Closed
	}
	total.Deliveries = total.latency.count
	took := time.Duration(total.lastAt-l.Receiving.measureFrom.Load()) * time.Microsecond
	total.PerSecond = float64(total.Deliveries) / max(took, l.work.Duration).Seconds()
	total.P50, total.P99, total.Max = total.latency.Quantile(0.5), total.latency.Quantile(0.99), total.latency.max()
	total.LastP50 = medianOf(total.slowest)
	return total
}

// medianOf returns the median of durations in microseconds. It ignores zeros, which were not measured.
func medianOf(durations []int64) time.Duration {
	var h Histogram
	for _, micros := range durations {
		if micros > 0 {
			h.Add(micros)
		}
	}
	return h.Quantile(0.5)
}
