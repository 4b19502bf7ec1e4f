package throttle

import (
	"math"
	"time"

	"burble/app/limit"
	"burble/app/protocol"

	"golang.org/x/sync/semaphore"
)

const (
	// ConnectionFactor, multiplied by the connection rate, is the number of connections that an address
	// may have open at once. The same number applies to live reads.
	ConnectionFactor = 40
	// FilesFactor, multiplied by the request rate, is the number of static files that an address may
	// request per second.
	FilesFactor = 20
	// EntriesPerRequest is how many entries read from Redis, or rooms in a list, count as one request.
	EntriesPerRequest = 50
)

// Limits are the limits for each client address and for all addresses together. A nil Rate, and a Rate or a
// Quota of 0, mean no limit.
type Limits struct {
	Requests        *limit.Rate  // requests and WebSocket frames
	Files           *limit.Rate  // requests for static files
	NewLiveReads    *limit.Rate  // new live reads
	OpenConnections *limit.Quota // connections
	OpenLiveReads   *limit.Quota
	UnreadBytes     *limit.Quota // bytes of responses

	Pages *semaphore.Weighted // bytes of memory for pages of history, see ReservePage

	signIns        signIns
	previews       previews
	allUnreadBytes *limit.Quota // for all addresses, under the key ""
}

// New returns Limits with the rates of requests and of new connections, per second and address.
func New(requestRate, connectionRate float64) *Limits {
	atOnce := int(math.Ceil(ConnectionFactor * connectionRate))
	return &Limits{
		Requests:        limit.NewRate(requestRate, int(4*requestRate)),
		NewLiveReads:    limit.NewRate(connectionRate, int(20*connectionRate)),
		Files:           limit.NewRate(FilesFactor*requestRate, int(4*FilesFactor*requestRate)),
		OpenConnections: limit.NewQuota(atOnce),
		OpenLiveReads:   limit.NewQuota(atOnce),
		UnreadBytes:     limit.NewQuota(MaxUnread),
		Pages:           semaphore.NewWeighted(MaxPagesBytes),
		signIns:         newSignIns(requestRate),
		previews:        newPreviews(requestRate),
		allUnreadBytes:  limit.NewQuota(MaxAllUnread),
	}
}

// AllowRequest counts a request. Like all methods that begin with Allow, it returns an error if the
// address has to wait.
func (l *Limits) AllowRequest(address string) error { return allow(l.Requests, address, 1, "requests") }

// AllowFile counts a request for a static file.
func (l *Limits) AllowFile(address string) error { return allow(l.Files, address, 1, "requests") }

// AllowLiveRead counts a new live read.
func (l *Limits) AllowLiveRead(address string) error {
	return allow(l.NewLiveReads, address, 1, "connections")
}

// AllowEntries counts the entries that a request asks for, beyond the first EntriesPerRequest, which
// AllowRequest has counted.
func (l *Limits) AllowEntries(address string, entries int) error {
	return allow(l.Requests, address, (entries-1)/EntriesPerRequest, "entries")
}

// CheckDebt returns an error while the address is charged for more requests than its rate allows.
func (l *Limits) CheckDebt(address string) error { return allow(l.Requests, address, 0, "requests") }

func allow(rate *limit.Rate, address string, count int, what string) error {
	if ok, after := rate.Allow(address, count, time.Now()); !ok {
		return protocol.TooMany(what, after)
	}
	return nil
}

// Charge counts entries that Redis has already read, or rooms that it has listed. They reduce the
// requests that the address may make next.
func (l *Limits) Charge(address string, entries int) {
	l.Requests.Charge(address, entries/EntriesPerRequest, time.Now())
}
