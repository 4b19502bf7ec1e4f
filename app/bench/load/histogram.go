//go:build linux

package load

import (
	"math/bits"
	"time"
)

// Histogram counts durations from a microsecond to a year, in buckets whose width is at most 1/64
// of their value. The zero value is empty.
type Histogram struct {
	buckets [40 * bucketsPerDoubling]int64
	count   int64
	longest int64
}

const (
	bucketBits         = 6
	bucketsPerDoubling = 1 << bucketBits
)

// Add counts a duration. The clock may have been set back, so a negative duration counts as 0.
func (h *Histogram) Add(micros int64) {
	micros = max(0, micros)
	h.buckets[bucketOf(micros)]++
	h.count++
	h.longest = max(h.longest, micros)
}

func bucketOf(micros int64) int {
	if micros < bucketsPerDoubling {
		return int(micros)
	}
	shift := bits.Len64(uint64(micros)) - bucketBits - 1
	return min(shift*bucketsPerDoubling+int(micros>>shift), 40*bucketsPerDoubling-1)
}

// bucketMax returns the longest duration in a bucket.
func bucketMax(bucket int) int64 {
	if bucket < 2*bucketsPerDoubling {
		return int64(bucket)
	}
	shift := bucket/bucketsPerDoubling - 1
	return int64(bucket-shift*bucketsPerDoubling+1)<<shift - 1
}

func (h *Histogram) merge(other *Histogram) {
	for i, count := range other.buckets {
		h.buckets[i] += count
	}
	h.count += other.count
	h.longest = max(h.longest, other.longest)
}

// Quantile returns the q-quantile, with 0 <= q <= 1. The result is up to 1/64 too high.
func (h *Histogram) Quantile(q float64) time.Duration {
	left := int64(q * float64(h.count))
	for i, count := range h.buckets {
		if left -= count; left < 0 {
			return time.Duration(min(bucketMax(i), h.longest)) * time.Microsecond
		}
	}
	return h.max()
}

func (h *Histogram) max() time.Duration { return time.Duration(h.longest) * time.Microsecond }
