package limit

import (
	"sync"
	"time"
)

// Memo limits how often an expensive call runs, by returning the last result until it is MaxAge old.
// Concurrent callers share one call. MaxAge must be set before the first use.
type Memo[T any] struct {
	MaxAge time.Duration

	mu       sync.Mutex
	lastCall time.Time
	result   T
}

// Get returns the last result. If there is none, or it is MaxAge old, Get runs call for a new one.
func (m *Memo[T]) Get(call func() T) T {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.lastCall.IsZero() || time.Since(m.lastCall) >= m.MaxAge {
		m.result = call()
		m.lastCall = time.Now()
	}
	return m.result
}
