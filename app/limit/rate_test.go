package limit

import (
	"fmt"
	"sync"
	"testing"
	"time"
)

// start is the time at which every test begins. A Rate gets the time from its caller.
var start = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

func TestRateAllowsBurstThenRate(t *testing.T) {
	t.Parallel()
	l := NewRate(5, 20)
	for i := range 20 {
		if ok, _ := l.Allow("ada", 1, start); !ok {
			t.Fatalf("event %d of the burst was refused, want it allowed", i+1)
		}
	}
	ok, retryAfter := l.Allow("ada", 1, start)
	if ok || retryAfter != 200*time.Millisecond {
		t.Fatalf("after the burst: Allow = %v, %v; want false, 200ms", ok, retryAfter)
	}
	if ok, _ := l.Allow("ada", 1, start.Add(retryAfter-time.Millisecond)); ok {
		t.Error("an event was allowed before retryAfter had passed")
	}
	if ok, _ := l.Allow("ada", 1, start.Add(retryAfter)); !ok {
		t.Error("an event was refused after retryAfter had passed")
	}
	if ok, _ := l.Allow("bob", 1, start); !ok {
		t.Error("one key used up another key's burst")
	}
}

func TestRateDoesNotCountRefusals(t *testing.T) {
	t.Parallel()
	l := NewRate(1, 1)
	l.Allow("ada", 1, start)
	for range 1000 {
		if ok, retryAfter := l.Allow("ada", 1, start); ok || retryAfter > time.Second {
			t.Fatalf("Allow = %v, %v; want false, at most 1s", ok, retryAfter)
		}
	}
}

func TestRateCountsAllOrNone(t *testing.T) {
	t.Parallel()
	l := NewRate(5, 20)
	if ok, _ := l.Allow("ada", 15, start); !ok {
		t.Error("15 events of a burst of 20 were refused")
	}
	if ok, retryAfter := l.Allow("ada", 10, start); ok || retryAfter != time.Second {
		t.Errorf("10 with 5 left: %v, retry after %v; want false, 1s", ok, retryAfter)
	}
	if ok, _ := l.Allow("ada", 5, start); !ok {
		t.Error("a refusal was counted")
	}
	if ok, _ := l.Allow("bob", 1000, start); !ok {
		t.Error("more events than the burst were refused")
	}
	if ok, _ := l.Allow("ada", 0, start); !ok {
		t.Error("0 events were refused")
	}
}

func TestChargeDelaysLaterEvents(t *testing.T) {
	t.Parallel()
	l := NewRate(5, 20)
	l.Charge("ada", 45, start)
	for seconds, want := range []bool{false, false, false, false, false, false, true} { // 25 over the burst, at 5 per second
		ok, after := l.Allow("ada", 5, start.Add(time.Duration(seconds)*time.Second))
		if ok != want || !ok && after != time.Duration(6-seconds)*time.Second {
			t.Errorf("after %d s: Allow = %v, %v; want %v", seconds, ok, after, want)
		}
	}
	if ok, _ := l.Allow("bob", 20, start); !ok {
		t.Error("another key was charged")
	}
	l.Charge("bob", -1, start)
	if ok, _ := l.Allow("bob", 1, start); ok {
		t.Error("a negative charge added tokens")
	}
}

func TestZeroRateAllowsEverything(t *testing.T) {
	t.Parallel()
	for name, l := range map[string]*Rate{"nil": nil, "rate 0": NewRate(0, 0)} {
		for range 1000 {
			if ok, retryAfter := l.Allow("ada", 1, start); !ok || retryAfter != 0 {
				t.Fatalf("%s: Allow = %v, %v; want true, 0s", name, ok, retryAfter)
			}
		}
	}
}

func TestRateRemovesIdleKeys(t *testing.T) {
	t.Parallel()
	l := NewRate(5, 20) // a bucket is full after 4 s
	for i := range 1000 {
		l.Allow(fmt.Sprint(i), 1, start)
	}
	after := func(seconds int) time.Time { return start.Add(time.Duration(seconds) * time.Second) }
	l.Allow("other", 1, after(5))
	if len(l.buckets) != 1 {
		t.Errorf("%d keys stored, want 1", len(l.buckets))
	}
	for range 20 {
		l.Allow("busy", 1, after(8))
	}
	l.Allow("other", 1, after(10))
	if _, kept := l.buckets["busy"]; !kept {
		t.Error("a bucket that was not full was removed")
	}
}

func TestRateBoundsItsMemory(t *testing.T) {
	t.Parallel()
	l := NewRate(5, 20)
	l.maxKeys = 100
	for i := range 1000 {
		if ok, _ := l.Allow(fmt.Sprint(i), 1, start); !ok {
			t.Fatal("a new key was refused")
		}
	}
	if len(l.buckets) != 100 {
		t.Errorf("%d keys stored, want 100", len(l.buckets))
	}
}

func TestRateIsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	l := NewRate(1, 50)
	var allowed sync.Map
	var all sync.WaitGroup
	for i := range 200 {
		all.Go(func() {
			if ok, _ := l.Allow("ada", 1, start); ok {
				allowed.Store(i, true)
			}
		})
	}
	all.Wait()
	count := 0
	allowed.Range(func(any, any) bool { count++; return true })
	if count != 50 {
		t.Errorf("%d allowed, want 50", count)
	}
}
