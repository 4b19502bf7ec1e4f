package main

import (
	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/valyala/fasthttp/fasthttpadaptor"
)

// metrics are what GET /metrics tells of this process. They are numbers of the
// whole: no room, no name, no address is in them.
type metrics struct {
	registry *prometheus.Registry
	appended prometheus.Counter
	tooSlow  prometheus.Counter
}

func newMetrics(a *App) metrics {
	m := metrics{
		registry: prometheus.NewRegistry(),
		appended: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "burble_entries_appended_total", Help: "Entries stored by this process.",
		}),
		tooSlow: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "burble_too_slow_total", Help: "Live reads ended because their reader was too slow.",
		}),
	}
	reads := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "burble_live_reads", Help: "Live reads open: WebSocket, SSE, NDJSON, text.",
	}, func() float64 { return float64(a.feeds.count()) })
	away := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "burble_redis_away", Help: "1 while Redis does not answer.",
	}, func() float64 {
		if a.store.Away() {
			return 1
		}
		return 0
	})
	m.registry.MustRegister(m.appended, m.tooSlow, reads, away,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// handler is GET /metrics, in the text format of Prometheus.
func (m metrics) handler() fiber.Handler {
	serve := fasthttpadaptor.NewFastHTTPHandler(promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{}))
	return func(c *fiber.Ctx) error {
		serve(c.Context())
		return nil
	}
}
