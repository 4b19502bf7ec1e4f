package limit

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestMemoCallsAgainAfterMaxAge(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		memo, calls := Memo[int]{MaxAge: time.Second}, 0
		call := func() int { calls++; return calls }
		for range 10 {
			if got := memo.Get(call); got != 1 {
				t.Errorf("got the result of call %d, want 1", got)
			}
			time.Sleep(99 * time.Millisecond)
		}
		time.Sleep(10 * time.Millisecond)
		if got := memo.Get(call); got != 2 {
			t.Errorf("after MaxAge: got the result of call %d, want 2", got)
		}
	})
}
