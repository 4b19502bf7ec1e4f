package main

import (
	"burble/app/protocol"
	"bytes"
	"fmt"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/common/expfmt"
)

// metrics are what GET /metrics tells of this process. They are numbers of the
// whole: no room, no name, no address is in them.
type metrics struct {
	registry *prometheus.Registry
	appended prometheus.Counter
	refused  *prometheus.CounterVec // by the code of full or unavailable
	tooSlow  prometheus.Counter
}

func newMetrics(a *App) metrics {
	m := metrics{
		registry: prometheus.NewRegistry(),
		appended: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "burble_entries_appended_total", Help: "Entries stored by this process.",
		}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "burble_entries_refused_total", Help: "Entries that Redis had no memory for, or did not take as it should.",
		}, []string{"code"}),
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
	for _, code := range []protocol.Code{protocol.Full, protocol.Unavailable} {
		m.refused.WithLabelValues(string(code)) // there from the start, so that the first is a rise
	}
	m.registry.MustRegister(m.appended, m.refused, m.tooSlow, reads, away,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// handler is GET /metrics, in the text format of Prometheus.
func (m metrics) handler() fiber.Handler {
	var scraped kept[scrape]
	return func(c *fiber.Ctx) error {
		last := scraped.get(time.Now(), m.scrape)
		if last.err != nil {
			return last.err
		}
		c.Set(fiber.HeaderContentType, string(expfmt.NewFormat(expfmt.TypeTextPlain)))
		return c.Send(last.text)
	}
}

// scrape is what the metrics are at one time.
type scrape struct {
	text []byte
	err  error
}

func (m metrics) scrape() scrape {
	var text bytes.Buffer
	families, err := m.registry.Gather()
	if err != nil {
		return scrape{nil, fmt.Errorf("gather metrics: %w", err)}
	}
	for _, family := range families {
		if _, err := expfmt.MetricFamilyToText(&text, family); err != nil {
			return scrape{nil, fmt.Errorf("write metrics: %w", err)}
		}
	}
	return scrape{text.Bytes(), nil}
}
