package main

import (
	"errors"
	"net/http"
	"sync"
	"time"

	"burble/app/protocol"
	"burble/streams"

	"github.com/gofiber/fiber/v2"
)

// healthz says that the process lives.
func (a *App) healthz(c *fiber.Ctx) error { return c.SendString("ok\n") }

// readyz says whether this server can do its work, and if not, why.
func (a *App) readyz(c *fiber.Ctx) error {
	if a.feeds.isDraining() {
		return protocol.Draining(keptFor)
	}
	switch err := a.health.get(time.Now(), func() error { return a.store.Health(c.UserContext()) }); {
	case errors.Is(err, streams.ErrFull):
		return &protocol.Error{Code: protocol.Full, Status: http.StatusServiceUnavailable, Message: "Chat " + err.Error() + ".", RetryAfter: keptFor}
	case err != nil:
		return &protocol.Error{Code: protocol.Unavailable, Message: "Redis does not answer, or takes no messages.", RetryAfter: keptFor, Cause: err}
	}
	return c.SendString("ready\n")
}

// keptFor is how long an answer of kept is given to others: who asks is not limited, and
// may be many.
const keptFor = time.Second

// kept is the last answer to a question that costs something. It may be used from many
// goroutines at once.
type kept[T any] struct {
	mu     sync.Mutex
	at     time.Time
	answer T
}

// get asks, unless the last answer is new.
func (k *kept[T]) get(now time.Time, ask func() T) T {
	k.mu.Lock()
	defer k.mu.Unlock()
	if now.Sub(k.at) >= keptFor {
		k.answer = ask()
		k.at = time.Now()
	}
	return k.answer
}
