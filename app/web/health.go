package web

import (
	"errors"
	"net/http"
	"sync"
	"time"

	"burble/app/protocol"
	"burble/streams"

	"github.com/gofiber/fiber/v2"
)

// getHealth handles GET /healthz: the process is alive.
func getHealth(c *fiber.Ctx) error { return c.SendString("ok\n") }

// getReady handles GET /readyz: whether this server can do its work, and if not, why.
func (s *Server) getReady(c *fiber.Ctx) error {
	if s.live.IsDraining() {
		return protocol.Draining(cacheTime)
	}
	switch err := s.health.get(time.Now(), func() error { return s.chat.Health(c.UserContext()) }); {
	case errors.Is(err, streams.ErrFull):
		return &protocol.Error{Code: protocol.Full, Status: http.StatusServiceUnavailable, Message: "Chat " + err.Error() + ".", RetryAfter: cacheTime}
	case err != nil:
		return &protocol.Error{Code: protocol.Unavailable, Message: "Redis does not answer, or does not store messages.", RetryAfter: cacheTime, Cause: err}
	}
	return c.SendString("ready\n")
}

// cacheTime is how long a result is cached. Requests for it are not rate-limited, and may be many.
const cacheTime = time.Second

// cached is the last result of a call that costs something. It may be used from many goroutines
// at once.
type cached[T any] struct {
	mu     sync.Mutex
	at     time.Time
	result T
}

// get returns the last result, or calls again if it is older than cacheTime.
func (k *cached[T]) get(now time.Time, call func() T) T {
	k.mu.Lock()
	defer k.mu.Unlock()
	if now.Sub(k.at) >= cacheTime {
		k.result = call()
		k.at = time.Now()
	}
	return k.result
}
