package web

import (
	"math"
	"path"
	"time"

	"burble/app/limit"
	"burble/app/protocol"

	"github.com/gofiber/fiber/v2"
)

const (
	// connectionFactor is how many connections, and how many live reads, an address may have open
	// for each that it may open a second.
	connectionFactor = 40
	// maxUnread is the most bytes of responses that wait for one address to read them. A single
	// response may be larger.
	maxUnread = 16 << 20
)

// limits are the limits of each client address.
type limits struct {
	requests    *limit.Rate  // requests and WebSocket frames
	connections *limit.Rate  // new live reads
	open        *limit.Quota // connections
	liveReads   *limit.Quota
	unread      *limit.Quota // bytes of responses
}

func newLimits(options Options) limits {
	atOnce := int(math.Ceil(connectionFactor * options.ConnectionRate))
	return limits{
		requests:    limit.NewRate(options.RequestRate, int(4*options.RequestRate)),
		connections: limit.NewRate(options.ConnectionRate, int(20*options.ConnectionRate)),
		open:        limit.NewQuota(atOnce),
		liveReads:   limit.NewQuota(atOnce),
		unread:      limit.NewQuota(maxUnread),
	}
}

// limitAddress is the middleware that counts a request against the address's rate of requests, or a
// new live read against its rate of those.
func (s *Server) limitAddress(c *fiber.Ctx) error {
	rates, what := s.limits.requests, "requests"
	if isLive, _ := path.Match("/r/*/events", c.Path()); isLive || c.Path() == "/ws" {
		rates, what = s.limits.connections, "connections"
	}
	if ok, after := rates.Allow(s.callerOf(c).address, 1, time.Now()); !ok {
		return protocol.TooMany(what, after)
	}
	return c.Next()
}

// limitEntries counts one more request for every further pageSize entries of a page of history.
// limitAddress has counted the first pageSize.
func (s *Server) limitEntries(c *fiber.Ctx, entries int) error {
	more := (entries - 1) / pageSize
	if ok, after := s.limits.requests.Allow(s.callerOf(c).address, more, time.Now()); !ok {
		return protocol.TooMany("entries", after)
	}
	return nil
}
