//go:build linux

package main

import (
	"math/bits"
	"time"
)

// histogram counts times in buckets whose width is at most 1/64 of what they
// count, from a microsecond to hours. The zero value is empty.
type histogram struct {
	buckets [40 * stepsPerDouble]int64
	count   int64
	most    int64
}

// stepsPerDouble is how many buckets lie between a time and its double.
const (
	stepBits       = 6
	stepsPerDouble = 1 << stepBits
)

func (h *histogram) add(micros int64) {
	micros = max(0, micros)
	h.buckets[bucketOf(micros)]++
	h.count++
	h.most = max(h.most, micros)
}

func bucketOf(micros int64) int {
	if micros < stepsPerDouble {
		return int(micros)
	}
	shift := bits.Len64(uint64(micros)) - stepBits - 1
	return min(shift*stepsPerDouble+int(micros>>shift), 40*stepsPerDouble-1)
}

// bucketTop is the longest time that the bucket counts.
func bucketTop(bucket int) int64 {
	if bucket < 2*stepsPerDouble {
		return int64(bucket)
	}
	shift := bucket/stepsPerDouble - 1
	return int64(bucket-shift*stepsPerDouble+1)<<shift - 1
}

func (h *histogram) merge(other *histogram) {
	for i, count := range other.buckets {
		h.buckets[i] += count
	}
	h.count += other.count
	h.most = max(h.most, other.most)
}

// quantile is the time that the part q of all is not above, at most 1/64 too long.
func (h *histogram) quantile(q float64) time.Duration {
	left := int64(q * float64(h.count))
	for i, count := range h.buckets {
		if left -= count; left < 0 {
			return time.Duration(min(bucketTop(i), h.most)) * time.Microsecond
		}
	}
	return h.max()
}

func (h *histogram) max() time.Duration { return time.Duration(h.most) * time.Microsecond }
