package web

import (
	"errors"
	"net/http"
	"time"

	"burble/app/protocol"
	"burble/streams"

	"github.com/gofiber/fiber/v2"
)

// getHealth handles GET /healthz, which reports that the process is alive.
func (s *Server) getHealth(c *fiber.Ctx) error {
	return c.SendString("ok\nversion: " + s.options.Version + "\n")
}

// getReady handles GET /readyz, which reports whether this server can store messages, and if not, why.
func (s *Server) getReady(c *fiber.Ctx) error {
	if s.live.IsDraining() {
		return protocol.Draining(cacheTime)
	}
	switch err := s.health.Get(func() error { return s.chat.Health(c.UserContext()) }); {
	case errors.Is(err, streams.ErrFull):
		return &protocol.Error{Code: protocol.Full, Status: http.StatusServiceUnavailable, Message: "Chat " + err.Error() + ".", RetryAfter: cacheTime}
	case err != nil:
		return &protocol.Error{Code: protocol.Unavailable, Message: "Redis does not answer, or cannot store messages.", RetryAfter: cacheTime, Cause: err}
	}
	// The server is ready even if Redis evicts keys. Otherwise the load balancer would drop all servers,
	// and users would lose access to the rooms that are still there.
	if warning := s.chat.Warning(); warning != "" {
		return c.SendString("ready\nwarning: " + warning + "\n")
	}
	return c.SendString("ready\n")
}

// cacheTime is how long probe results and metrics are cached. Caching limits their cost, because
// requests for them are not rate-limited.
const cacheTime = time.Second
