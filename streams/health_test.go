package streams

import (
	"log/slog"
	"runtime"
	"sync"
	"testing"
)

// In a Cluster, each bucket has its own tail, and all tails report to one Store.
func TestOnStatusOrder(t *testing.T) {
	t.Parallel()
	for range 200 {
		var reported []bool
		var mu sync.Mutex
		s := &Store{log: slog.New(slog.DiscardHandler)}
		s.onStatus = func(away bool) {
			for range 20 { // let another tail overtake this one
				runtime.Gosched()
			}
			mu.Lock()
			defer mu.Unlock()
			reported = append(reported, away)
		}
		var tails sync.WaitGroup
		s.tailDisconnected(nil)
		tails.Go(s.tailReconnected)
		tails.Go(func() { s.tailDisconnected(nil) })
		tails.Wait()
		for i, away := range reported {
			if away != (i%2 == 0) {
				t.Fatalf("reported %v, want true and false in turn", reported)
			}
		}
		if !s.Away() || !reported[len(reported)-1] {
			t.Fatalf("reported %v and Away() = %v, want true last", reported, s.Away())
		}
	}
}
