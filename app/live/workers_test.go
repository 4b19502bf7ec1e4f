package live

import (
	"sync/atomic"
	"testing"
	"time"
)

// When all clients reconnect at once, their stacks must not grow all at once. But if Redis is away, so that all
// workers wait for it, other work must continue.
func TestWorkersAreFewUnlessAllAreStuck(t *testing.T) {
	t.Parallel()
	w := newWorkers()
	var started atomic.Int32
	finish := make(chan struct{})
	begun := time.Now()
	done := make(chan struct{})
	const jobs = 3 * maxWorkers
	for range jobs {
		go func() {
			w.do(func() {
				if started.Add(1) > maxWorkers && time.Since(begun) < maxWait {
					t.Errorf("a worker beyond the first %d started after %v, want after at least %v", maxWorkers, time.Since(begun), maxWait)
				}
				<-finish
			})
			done <- struct{}{}
		}()
	}
	for deadline := time.Now().Add(patience); started.Load() < jobs; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d of %d jobs started while the others were stuck", started.Load(), jobs)
		}
	}
	close(finish)
	for range jobs {
		<-done
	}
	w.end()
}
