package main

import (
	"fmt"
	"sync"
	"testing"
	"time"
)

// limitStart is when the hand-fed clocks begin. A limiter reads no other.
var limitStart = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

func TestLimiterAllowsABurstAndThenTheRate(t *testing.T) {
	l := newLimiter(5, 20)
	for i := range 20 {
		if ok, _ := l.allow("ada", limitStart); !ok {
			t.Fatalf("refused number %d of the burst", i+1)
		}
	}
	ok, retryAfter := l.allow("ada", limitStart)
	if ok || retryAfter != 200*time.Millisecond {
		t.Fatalf("after the burst: %v, retry after %v", ok, retryAfter)
	}
	if ok, _ := l.allow("ada", limitStart.Add(retryAfter-time.Millisecond)); ok {
		t.Error("allowed too early")
	}
	if ok, _ := l.allow("ada", limitStart.Add(retryAfter)); !ok {
		t.Error("refused when it was said to be allowed")
	}
	if ok, _ := l.allow("bob", limitStart); !ok {
		t.Error("one key's burst is taken from another")
	}
}

func TestLimiterDoesNotCountWhatItRefuses(t *testing.T) {
	l := newLimiter(1, 1)
	l.allow("ada", limitStart)
	for range 1000 {
		if ok, retryAfter := l.allow("ada", limitStart); ok || retryAfter > time.Second {
			t.Fatalf("%v, retry after %v", ok, retryAfter)
		}
	}
}

func TestLimiterCountsSomeAtOnceOrNone(t *testing.T) {
	l := newLimiter(5, 20)
	if ok, _ := l.allowSome("ada", 15, limitStart); !ok {
		t.Error("15 of 20 are refused")
	}
	if ok, retryAfter := l.allowSome("ada", 10, limitStart); ok || retryAfter != time.Second {
		t.Errorf("10 of 5: %v, retry after %v", ok, retryAfter)
	}
	if ok, _ := l.allowSome("ada", 5, limitStart); !ok {
		t.Error("what was refused is counted")
	}
	if ok, _ := l.allowSome("bob", 1000, limitStart); !ok {
		t.Error("more than a burst is never allowed")
	}
	if ok, _ := l.allowSome("ada", 0, limitStart); !ok {
		t.Error("nothing is refused")
	}
}

func TestLimiterWithoutRateAllowsEverything(t *testing.T) {
	for name, l := range map[string]*limiter{"nil": nil, "rate 0": newLimiter(0, 0)} {
		for range 1000 {
			if ok, retryAfter := l.allow("ada", limitStart); !ok || retryAfter != 0 {
				t.Fatalf("%s: %v, retry after %v", name, ok, retryAfter)
			}
		}
	}
}

func TestLimiterForgetsWhoIsQuiet(t *testing.T) {
	l := newLimiter(5, 20) // a bucket is full after 4 s
	for i := range 1000 {
		l.allow(fmt.Sprint(i), limitStart)
	}
	after := func(seconds int) time.Time { return limitStart.Add(time.Duration(seconds) * time.Second) }
	l.allow("other", after(5))
	if len(l.buckets) != 1 {
		t.Errorf("%d keys are remembered, want 1", len(l.buckets))
	}
	for range 20 {
		l.allow("busy", after(8))
	}
	l.allow("other", after(10))
	if _, kept := l.buckets["busy"]; !kept {
		t.Error("a bucket that was not full is forgotten")
	}
}

func TestLimiterBoundsItsMemory(t *testing.T) {
	l := newLimiter(5, 20)
	l.maxKeys = 100
	for i := range 1000 {
		if ok, _ := l.allow(fmt.Sprint(i), limitStart); !ok {
			t.Fatal("a new key was refused")
		}
	}
	if len(l.buckets) != 100 {
		t.Errorf("%d keys are remembered, want 100", len(l.buckets))
	}
}

func TestLimiterIsSafeForManyGoroutines(t *testing.T) {
	l := newLimiter(1, 50)
	var allowed sync.Map
	var all sync.WaitGroup
	for i := range 200 {
		all.Go(func() {
			if ok, _ := l.allow("ada", limitStart); ok {
				allowed.Store(i, true)
			}
		})
	}
	all.Wait()
	count := 0
	allowed.Range(func(any, any) bool { count++; return true })
	if count != 50 {
		t.Errorf("%d were allowed, want 50", count)
	}
}
