package web

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Requests for /metrics are not rate-limited, so they must cost next to nothing.
func TestMetricsAreGatheredAtMostOnceASecond(t *testing.T) {
	t.Parallel()
	s := startOne(t)
	var gathered atomic.Int32
	s.metrics.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "gathered"}, func() float64 {
		return float64(gathered.Add(1))
	}))
	began := time.Now()
	for range 200 {
		got := s.get("/metrics")
		if got.status != 200 || !strings.HasPrefix(got.header.Get("Content-Type"), "text/plain; version=0.0.4") ||
			!strings.Contains(got.body, "\n# TYPE burble_live_reads gauge\nburble_live_reads 0\n") {
			t.Fatalf("metrics: status %d, type %q; want 200, text/plain and a gauge of live reads:\n%s", got.status, got.header.Get("Content-Type"), got.body)
		}
	}
	if times, maximum := int(gathered.Load()), int(time.Since(began)/time.Second)+1; times > maximum {
		t.Errorf("gathered %d times for 200 requests, want at most %d", times, maximum)
	}
}
