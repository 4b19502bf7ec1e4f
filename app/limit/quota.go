package limit

import "sync"

// Quota limits how much each key may hold at once.
type Quota struct {
	max int // 0: no limit

	mu   sync.Mutex
	held map[string]int
}

// NewQuota returns a Quota of max for each key. A max of 0 is no limit.
func NewQuota(max int) *Quota { return &Quota{max: max, held: make(map[string]int)} }

// Take adds n to what the key holds, or reports false if that would exceed the quota. A key
// that holds nothing may always take, even more than the quota: otherwise a single large
// item could never pass. The caller calls release when it is done; calling it again does
// nothing.
func (q *Quota) Take(key string, n int) (release func(), ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if held := q.held[key]; q.max > 0 && held > 0 && held+n > q.max {
		return nil, false
	}
	q.held[key] += n
	return sync.OnceFunc(func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		if q.held[key] -= n; q.held[key] == 0 {
			delete(q.held, key)
		}
	}), true
}

// Held returns how much the key holds now.
func (q *Quota) Held(key string) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.held[key]
}
