package main

import (
	"errors"
	"net/http"
	"sync"
	"time"

	"burble/streams"

	"github.com/gofiber/fiber/v2"
)

// healthz says that the process lives.
func (a *App) healthz(c *fiber.Ctx) error { return c.SendString("ok\n") }

// readyz says whether this server can do its work, and if not, why.
func (a *App) readyz(c *fiber.Ctx) error {
	if a.feeds.isDraining() {
		return &problem{code: unavailable, message: "The server is going away.", retryAfter: healthKept}
	}
	switch err := a.health.check(time.Now(), func() error { return a.store.Health(c.UserContext()) }); {
	case errors.Is(err, streams.ErrFull):
		return &problem{code: full, status: http.StatusServiceUnavailable, message: "Chat storage is full: " + err.Error() + ".", retryAfter: healthKept}
	case err != nil:
		return &problem{code: unavailable, message: "Redis does not answer.", retryAfter: healthKept, cause: err}
	}
	return c.SendString("ready\n")
}

// healthKept is how long an answer of Redis about its health is given to others: they are
// not limited, and may be many.
const healthKept = time.Second

// health is what Redis last said of itself. It may be used from many goroutines at once.
type health struct {
	mu  sync.Mutex
	at  time.Time
	err error
}

// check asks, unless the last answer is new.
func (h *health) check(now time.Time, ask func() error) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if now.Sub(h.at) >= healthKept {
		h.err = ask()
		h.at = time.Now()
	}
	return h.err
}
