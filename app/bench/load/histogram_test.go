//go:build linux

package load

import (
	"testing"
	"time"
)

func TestQuantileError(t *testing.T) {
	t.Parallel()
	var h, half Histogram
	for micros := int64(1); micros <= 1_000_000; micros++ {
		if micros%2 == 0 {
			h.Add(micros)
		} else {
			half.Add(micros)
		}
	}
	h.merge(&half)
	for _, q := range []float64{0.0001, 0.01, 0.5, 0.99, 0.9999} {
		exact := time.Duration(q*1_000_000+1) * time.Microsecond
		if got := h.Quantile(q); got < exact || got > exact+exact/64 {
			t.Errorf("quantile %v is %v, want %v to 1/64 more", q, got, exact)
		}
	}
	if h.max() != time.Second || h.Quantile(1) != time.Second || h.count != 1_000_000 {
		t.Errorf("the longest of %d is %v, want one second", h.count, h.max())
	}
}

func TestHistogramAcceptsEveryDuration(t *testing.T) {
	t.Parallel()
	var h Histogram
	for _, micros := range []int64{-5, 0, 63, 64, 127, 128, 1 << 40, 1 << 62} { // clocks may be set back
		h.Add(micros)
	}
	if h.Quantile(0) != 0 || h.Quantile(0.8) < 1<<40*time.Microsecond {
		t.Errorf("quantiles 0 and 0.8 are %v and %v, want 0 and at least %v", h.Quantile(0), h.Quantile(0.8), 1<<40*time.Microsecond)
	}
	if (&Histogram{}).Quantile(0.5) != 0 {
		t.Error("the median of an empty histogram is not 0")
	}
}
