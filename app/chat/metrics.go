package chat

import (
	"sync/atomic"

	"burble/app/protocol"

	"github.com/prometheus/client_golang/prometheus"
)

// Collectors returns the service's Prometheus metrics. All of them start at 0, so that Prometheus
// sees the first event as an increase.
func (s *Service) Collectors() []prometheus.Collector {
	counter := func(name, help string, code protocol.Code, value *atomic.Int64) prometheus.Collector {
		opts := prometheus.CounterOpts{Name: name, Help: help}
		if code != "" {
			opts.ConstLabels = prometheus.Labels{"code": string(code)}
		}
		return prometheus.NewCounterFunc(opts, func() float64 { return float64(value.Load()) })
	}
	const refused = "Entries not stored because Redis was full or unavailable."
	return []prometheus.Collector{
		counter("burble_entries_appended_total", "Entries stored by this process.", "", &s.appended),
		counter("burble_entries_refused_total", refused, protocol.Full, &s.refusedFull),
		counter("burble_entries_refused_total", refused, protocol.Unavailable, &s.refusedUnavailable),
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "burble_redis_evicted_keys_total", Help: "Keys that Redis evicted since this process started.",
		}, func() float64 { return float64(s.store.EvictedKeys()) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "burble_redis_away", Help: "1 while Redis does not answer.",
		}, func() float64 {
			if s.RedisAway() {
				return 1
			}
			return 0
		}),
	}
}
