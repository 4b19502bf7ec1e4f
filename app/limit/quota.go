package limit

import "sync"

// Quota limits how much each key may hold at once.
type Quota struct {
	max int // 0 means no limit

	mu   sync.Mutex
	held map[string]int
}

// NewQuota returns a Quota that lets each key hold up to max. A max of 0 means no limit.
func NewQuota(max int) *Quota { return &Quota{max: max, held: make(map[string]int)} }

// Take adds n to the amount that the key holds. It returns false if that would exceed the quota. A
// key that holds nothing may take any amount, because otherwise a single large item could never pass.
// The caller must call release when it is done. Further calls to release do nothing.
func (q *Quota) Take(key string, n int) (release func(), ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if held := q.held[key]; q.max > 0 && held > 0 && held+n > q.max {
		return nil, false
	}
	q.held[key] += n
	return func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		if q.held[key] -= n; q.held[key] == 0 {
			delete(q.held, key)
		}
		n = 0 // further calls release nothing
	}, true
}

// Held returns the amount that the key holds now.
func (q *Quota) Held(key string) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.held[key]
}
