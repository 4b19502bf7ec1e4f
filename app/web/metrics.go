package web

import (
	"bytes"
	"crypto/subtle"
	"fmt"
	"slices"

	"burble/app/caller"
	"burble/app/limit"
	"burble/app/protocol"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/common/expfmt"
)

// getMetrics returns the handler of GET /metrics, which writes the metrics in the text format of
// Prometheus. They are about the whole process, and contain no rooms, names or addresses. Scrapes are
// not rate-limited, so their result is cached.
//
// Using promhttp would gain nothing, because Fiber's adaptor for net/http buffers the response anyway.
func (s *Server) getMetrics() fiber.Handler {
	s.metrics.MustRegister(slices.Concat(s.chat.Collectors(), s.live.Collectors(), []prometheus.Collector{
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	})...)
	if s.options.Files != nil {
		s.metrics.MustRegister(s.options.Files.Collectors()...)
	}
	last := limit.Memo[scrape]{MaxAge: cacheTime}
	return func(c *fiber.Ctx) error {
		scraped := last.Get(func() scrape { return gather(s.metrics) })
		if scraped.err != nil {
			return scraped.err
		}
		c.Set(fiber.HeaderContentType, string(expfmt.NewFormat(expfmt.TypeTextPlain)))
		return c.Send(scraped.text)
	}
}

// checkMetricsToken is middleware that refuses a request without the metrics token, if one is configured.
func (s *Server) checkMetricsToken(c *fiber.Ctx) error {
	given, ok := caller.Bearer(c.Get(fiber.HeaderAuthorization))
	if s.options.MetricsToken == "" || ok && subtle.ConstantTimeCompare([]byte(given), []byte(s.options.MetricsToken)) == 1 {
		return c.Next()
	}
	c.Set(fiber.HeaderWWWAuthenticate, "Bearer")
	return &protocol.Error{
		Code: protocol.NotAllowed, Status: fiber.StatusUnauthorized, Field: "authorization",
		Message: "The metrics require the server's METRICS_TOKEN, as Authorization: Bearer.",
	}
}

// scrape is the text of all metrics, or the error that prevented it.
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
