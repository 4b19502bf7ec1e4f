package live

import "github.com/prometheus/client_golang/prometheus"

// Collectors returns the engine's Prometheus metrics.
func (e *Engine) Collectors() []prometheus.Collector {
	return []prometheus.Collector{
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "burble_too_slow_total", Help: "Live reads closed because their clients read too slowly.",
		}, func() float64 { return float64(e.tooSlow.Load()) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "burble_live_reads", Help: "Open live reads: WebSocket, SSE, NDJSON, text.",
		}, func() float64 { return float64(e.Count()) }),
	}
}
