package limit

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// maxRateKeys limits a Rate's memory to about 15 MB. An attacker with more addresses than this can
// evade a limit per address anyway.
const maxRateKeys = 100_000

// Rate limits how often each key may act, with a token bucket per key. It removes buckets that are
// full again, because a new bucket is full too.
//
// A nil Rate and a Rate of 0 allow everything.
type Rate struct {
	perSecond rate.Limit
	burst     int
	maxKeys   int

	mu        sync.Mutex
	buckets   map[string]*rate.Limiter
	lastSweep time.Time
}

// NewRate returns a Rate that allows each key perSecond events per second, in bursts of up to burst
// events. A perSecond of 0 means no limit.
func NewRate(perSecond float64, burst int) *Rate {
	return &Rate{
		perSecond: rate.Limit(perSecond),
		burst:     max(burst, 1),
		maxKeys:   maxRateKeys,
		buckets:   map[string]*rate.Limiter{},
	}
}

// Allow counts n events for the key. If the limit does not allow all of them now, it counts none and
// returns how long to wait. An n larger than the burst counts as one burst.
func (r *Rate) Allow(key string, n int, now time.Time) (ok bool, retryAfter time.Duration) {
	if r == nil || r.perSecond <= 0 {
		return true, 0
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	reservation := r.bucket(key, now).ReserveN(now, min(n, r.burst))
	if delay := reservation.DelayFrom(now); delay > 0 {
		reservation.CancelAt(now)
		return false, delay
	}
	return true, 0
}

// Charge counts n events that the key has already caused, even if they exceed the limit. Allow then
// refuses the key until the rate has made up for them.
func (r *Rate) Charge(key string, n int, now time.Time) {
	if r == nil || r.perSecond <= 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for bucket := r.bucket(key, now); n > 0; n -= r.burst {
		bucket.ReserveN(now, min(n, r.burst))
	}
}

// bucket returns the key's bucket, or a new full one.
func (r *Rate) bucket(key string, now time.Time) *rate.Limiter {
	r.sweep(now)
	bucket, known := r.buckets[key]
	if !known {
		r.evict()
		bucket = rate.NewLimiter(r.perSecond, r.burst)
		r.buckets[key] = bucket
	}
	return bucket
}

// sweep removes full buckets. It runs at most once in the time that an empty bucket takes to fill, so a
// bucket that is unused between two sweeps is full at the second one. It needs no goroutine, because
// Allow and Charge call it before they add a bucket.
func (r *Rate) sweep(now time.Time) {
	fillTime := time.Duration(float64(r.burst) / float64(r.perSecond) * float64(time.Second))
	if now.Sub(r.lastSweep) < max(fillTime, time.Second) {
		return
	}
	r.lastSweep = now
	for key, bucket := range r.buckets {
		if bucket.TokensAt(now) >= float64(r.burst) {
			delete(r.buckets, key)
		}
	}
}

// evict removes an arbitrary key if there are too many. That key later starts with a full bucket.
// Refusing new keys instead would let a flood lock everyone else out.
func (r *Rate) evict() {
	if len(r.buckets) < r.maxKeys {
		return
	}
	for key := range r.buckets {
		delete(r.buckets, key)
		return
	}
}
