package main

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// limiterMaxKeys bounds what a limiter remembers, about 15 MB: with more addresses
// than that, a limit per address stops nobody.
const limiterMaxKeys = 100_000

// limiter lets each key do something so many times a second, and so many at once
// after it was quiet: a token bucket per key. A key that has been quiet for long
// enough to have a full bucket is forgotten, which changes nothing for it.
//
// A nil limiter and one with rate 0 allow everything. A limiter may be used from many
// goroutines at once.
type limiter struct {
	rate    rate.Limit
	burst   int
	maxKeys int

	mu      sync.Mutex
	buckets map[string]*rate.Limiter
	swept   time.Time
}

// newLimiter allows each key perSecond times a second, and up to burst times at once.
// perSecond 0 is no limit.
func newLimiter(perSecond float64, burst int) *limiter {
	return &limiter{
		rate:    rate.Limit(perSecond),
		burst:   max(burst, 1),
		maxKeys: limiterMaxKeys,
		buckets: map[string]*rate.Limiter{},
	}
}

// allow counts one more for key, or refuses and says when it would be allowed again.
// What is refused is not counted.
func (l *limiter) allow(key string, now time.Time) (ok bool, retryAfter time.Duration) {
	return l.allowSome(key, 1, now)
}

// allowSome counts some at once, all of them or none. More than a burst is a burst.
func (l *limiter) allowSome(key string, some int, now time.Time) (ok bool, retryAfter time.Duration) {
	if l == nil || l.rate <= 0 {
		return true, 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	reservation := l.bucket(key, now).ReserveN(now, min(some, l.burst))
	if delay := reservation.DelayFrom(now); delay > 0 {
		reservation.CancelAt(now)
		return false, delay
	}
	return true, 0
}

// bucket finds the key's bucket or makes a full one.
func (l *limiter) bucket(key string, now time.Time) *rate.Limiter {
	l.sweep(now)
	bucket, known := l.buckets[key]
	if !known {
		l.makeRoom()
		bucket = rate.NewLimiter(l.rate, l.burst)
		l.buckets[key] = bucket
	}
	return bucket
}

// sweep forgets full buckets, as often as an empty one takes to fill: what is there
// at one sweep and not used is gone at the next. No goroutine is needed, since
// nothing grows while nobody asks.
func (l *limiter) sweep(now time.Time) {
	toFill := time.Duration(float64(l.burst) / float64(l.rate) * float64(time.Second))
	if now.Sub(l.swept) < max(toFill, time.Second) {
		return
	}
	l.swept = now
	for key, bucket := range l.buckets {
		if bucket.TokensAt(now) >= float64(l.burst) {
			delete(l.buckets, key)
		}
	}
}

// makeRoom forgets any one key if there are too many. That key gets a full bucket for
// nothing; the alternative, refusing whoever is new, would let a flood lock people out.
func (l *limiter) makeRoom() {
	if len(l.buckets) < l.maxKeys {
		return
	}
	for key := range l.buckets {
		delete(l.buckets, key)
		return
	}
}
