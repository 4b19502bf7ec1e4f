package limit

import (
	"sync"
	"time"
)

// Memo bounds how often an expensive call is made: within MaxAge it returns the result of the last
// call. Concurrent callers wait for one call. Set MaxAge before the first use.
type Memo[T any] struct {
	MaxAge time.Duration

	mu       sync.Mutex
	lastCall time.Time
	result   T
}

// Get returns the last result, or that of a new call if it is older than MaxAge.
func (m *Memo[T]) Get(call func() T) T {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.lastCall.IsZero() || time.Since(m.lastCall) >= m.MaxAge {
		m.result = call()
		m.lastCall = time.Now()
	}
	return m.result
}
