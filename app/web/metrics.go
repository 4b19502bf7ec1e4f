package web

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/common/expfmt"
)

// getMetrics returns the handler of GET /metrics, in the text format of Prometheus. The numbers
// are of the process as a whole: no room, no name and no address is in them.
//
// promhttp is not used: Fiber's adaptor for net/http buffers the response anyway, and the
// result is cached here, because scrapes are not limited.
func (s *Server) getMetrics() fiber.Handler {
	s.metrics.MustRegister(slices.Concat(s.chat.Collectors(), s.live.Collectors(), []prometheus.Collector{
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	})...)
	var last cached[scrape]
	return func(c *fiber.Ctx) error {
		scraped := last.get(time.Now(), func() scrape { return gather(s.metrics) })
		if scraped.err != nil {
			return scraped.err
		}
		c.Set(fiber.HeaderContentType, string(expfmt.NewFormat(expfmt.TypeTextPlain)))
		return c.Send(scraped.text)
	}
}

// scrape holds the metrics at one moment.
type scrape struct {
	text []byte
	err  error
}

func gather(registry *prometheus.Registry) scrape {
	var text bytes.Buffer
	families, err := registry.Gather()
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
