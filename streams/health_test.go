package streams

import (
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"
)

// In a Cluster each bucket has a tail, which knows only of itself.
func TestStatusIsToldInTheOrderInWhichItChanges(t *testing.T) {
	var mu sync.Mutex
	var told []bool
	telling, goOn := make(chan struct{}), make(chan struct{})
	s := &Store{log: slog.New(slog.DiscardHandler)}
	s.options.OnStatus = func(away bool) {
		if !away {
			close(telling)
			<-goOn
		}
		mu.Lock()
		defer mu.Unlock()
		told = append(told, away)
	}
	var tails sync.WaitGroup
	s.tailLost(nil)
	tails.Go(s.tailBack)
	<-telling
	lost := make(chan struct{})
	tails.Go(func() { s.tailLost(nil); close(lost) }) // another one, meanwhile
	select {
	case <-lost:
	case <-time.After(50 * time.Millisecond):
	}
	close(goOn)
	tails.Wait()
	if want := []bool{true, false, true}; !slices.Equal(told, want) || !s.Away() {
		t.Errorf("told %v, want %v", told, want)
	}
}
