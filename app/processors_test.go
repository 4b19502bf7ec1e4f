package main

import (
	"testing"
	"time"
)

func TestOneProcessorIsUsedOnlyWhileItIsEnough(t *testing.T) {
	var p processors
	look := func(times int, percent time.Duration, one bool) {
		t.Helper()
		for range times {
			p.look(100*time.Millisecond, percent*time.Millisecond)
		}
		if p.one != one {
			t.Errorf("after %d times %d %%: one processor: %v", times, percent, p.one)
		}
	}
	look(9, 20, false)
	look(1, 50, false) // neither calm nor busy
	look(9, 20, false)
	look(1, 20, true)
	look(100, 55, true)
	look(1, 70, false) // at once
	look(100, 50, false)
	look(10, 0, true)
}
