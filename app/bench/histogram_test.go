//go:build linux

package main

import (
	"testing"
	"time"
)

func TestQuantilesAreAtMostOneSixtyFourthTooLong(t *testing.T) {
	var h, half histogram
	for micros := int64(1); micros <= 1_000_000; micros++ {
		if micros%2 == 0 {
			h.add(micros)
		} else {
			half.add(micros)
		}
	}
	h.merge(&half)
	for _, q := range []float64{0.0001, 0.01, 0.5, 0.99, 0.9999} {
		exact := time.Duration(q*1_000_000+1) * time.Microsecond
		if got := h.quantile(q); got < exact || got > exact+exact/64 {
			t.Errorf("quantile %v is %v, exact value %v", q, got, exact)
		}
	}
	if h.max() != time.Second || h.quantile(1) != time.Second || h.count != 1_000_000 {
		t.Errorf("the longest of %d is %v, want one second", h.count, h.max())
	}
}

func TestHistogramAcceptsEveryDuration(t *testing.T) {
	var h histogram
	for _, micros := range []int64{-5, 0, 63, 64, 127, 128, 1 << 40, 1 << 62} { // negative: clocks may be set back
		h.add(micros)
	}
	if h.quantile(0) != 0 || h.quantile(0.8) < 1<<40*time.Microsecond {
		t.Errorf("quantiles 0 and 0.8 are %v and %v", h.quantile(0), h.quantile(0.8))
	}
	if (&histogram{}).quantile(0.5) != 0 {
		t.Error("the median of an empty histogram is not 0")
	}
}
