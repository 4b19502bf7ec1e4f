package web

import (
	"math"
	"path"
	"time"

	"burble/app/limit"
	"burble/app/protocol"

	"github.com/gofiber/fiber/v2"
	"golang.org/x/sync/semaphore"
)

const (
	// connectionFactor times the connection rate is how many connections, and how many live reads,
	// an address may have open at once.
	connectionFactor = 40
	// filesFactor is how many static files an address may request for each other request.
	filesFactor = 20
	// maxUnread is how many bytes of responses may wait for one address to read them. A single
	// response may be larger.
	maxUnread = 16 << 20
	// maxAllUnread is the same for all addresses together.
	maxAllUnread = 64 << 20
)

// limits are the limits of each client address, and of all together.
type limits struct {
	requests        *limit.Rate  // requests and WebSocket frames
	files           *limit.Rate  // requests for static files
	newLiveReads    *limit.Rate  // new live reads
	openConnections *limit.Quota // connections
	openLiveReads   *limit.Quota
	unreadBytes     *limit.Quota // bytes of responses

	allUnreadBytes *limit.Quota        // of all addresses, under the key ""
	pages          *semaphore.Weighted // bytes of memory for pages of history, see reservePage
}

func newLimits(options Options) limits {
	atOnce := int(math.Ceil(connectionFactor * options.ConnectionRate))
	return limits{
		requests:        limit.NewRate(options.RequestRate, int(4*options.RequestRate)),
		newLiveReads:    limit.NewRate(options.ConnectionRate, int(20*options.ConnectionRate)),
		files:           limit.NewRate(filesFactor*options.RequestRate, int(4*filesFactor*options.RequestRate)),
		openConnections: limit.NewQuota(atOnce),
		openLiveReads:   limit.NewQuota(atOnce),
		unreadBytes:     limit.NewQuota(maxUnread),
		allUnreadBytes:  limit.NewQuota(maxAllUnread),
		pages:           semaphore.NewWeighted(maxPagesBytes),
	}
}

// limitAddress is middleware that counts a new live read against the address's rate of live reads,
// and any other request against its rate of requests.
func (s *Server) limitAddress(c *fiber.Ctx) error {
	rates, what := s.limits.requests, "requests"
	if isLive, _ := path.Match(eventsPattern, c.Path()); isLive || c.Path() == "/ws" {
		rates, what = s.limits.newLiveReads, "connections"
	}
	if ok, after := rates.Allow(s.callerOf(c).address, 1, time.Now()); !ok {
		return protocol.TooMany(what, after)
	}
	return c.Next()
}

// limitFiles is middleware that counts a request for a static file against the address's rate of those.
func (s *Server) limitFiles(c *fiber.Ctx) error {
	if ok, after := s.limits.files.Allow(s.callerOf(c).address, 1, time.Now()); !ok {
		return protocol.TooMany("requests", after)
	}
	return c.Next()
}

// limitEntries counts a page of history as one request for every pageSize entries. limitAddress has
// already counted the first of these requests.
func (s *Server) limitEntries(c *fiber.Ctx, entries int) error {
	more := (entries - 1) / pageSize
	if ok, after := s.limits.requests.Allow(s.callerOf(c).address, more, time.Now()); !ok {
		return protocol.TooMany("entries", after)
	}
	return nil
}
