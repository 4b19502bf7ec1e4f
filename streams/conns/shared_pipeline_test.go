package conns_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"burble/streams/conns"
	"burble/streams/redistest"

	"github.com/redis/go-redis/v9"
)

// Callers that wait for a distant Redis share round trips, but each gets its own replies and errors.
func TestConcurrentCallersShareRoundTrips(t *testing.T) {
	t.Parallel()
	proxy := redistest.StartProxy(t, redistest.StartTCP(t).Addr)
	set := conns.New(conns.Options{Redis: &conns.Address{Addrs: []string{proxy.Addr}}, Stream: "s"})
	defer set.Close()
	const callers, delay = 200, 100 * time.Millisecond
	proxy.SetFaults(redistest.Faults{Delay: delay})
	began := time.Now()
	var calling sync.WaitGroup
	for i := range callers {
		calling.Go(func() {
			var number, missing *redis.StringCmd
			err := set.Pipeline(t.Context(), 1, func(pipe redis.Pipeliner) {
				pipe.Set(t.Context(), string(rune('a'+i)), i, 0)
				number = pipe.Get(t.Context(), string(rune('a'+i)))
				missing = pipe.Get(t.Context(), "none")
			})
			if err != nil {
				t.Error(err)
				return
			}
			if got, err := number.Int(); err != nil || got != i || !errors.Is(missing.Err(), redis.Nil) {
				t.Errorf("caller %d: got %d, %v, and %v for a missing key, want %d and redis.Nil", i, got, err, missing.Err(), i)
			}
		})
	}
	calling.Wait()
	roundTrips := time.Since(began) / (2 * delay)
	t.Logf("%d callers took %d round trips", callers, roundTrips)
	if roundTrips > callers/4 {
		t.Errorf("%d callers took %d round trips, want at most %d", callers, roundTrips, callers/4)
	}
}

func TestPipelineReturnsWhenContextIsDone(t *testing.T) {
	t.Parallel()
	proxy := redistest.StartProxy(t, redistest.StartTCP(t).Addr)
	set := conns.New(conns.Options{Redis: &conns.Address{Addrs: []string{proxy.Addr}}, Stream: "s"})
	defer set.Close()
	proxy.SetFaults(redistest.Faults{Stall: true})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err := set.Pipeline(ctx, 1, func(pipe redis.Pipeliner) { pipe.Get(ctx, "a") })
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got error %v, want context.DeadlineExceeded", err)
	}
}
