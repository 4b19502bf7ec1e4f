package tune

import (
	"testing"
	"time"
)

func TestOneProcessorOnlyAfterASecondOfLittleLoad(t *testing.T) {
	t.Parallel()
	var p processors
	sample := func(times int, percent time.Duration, wantOne bool) {
		t.Helper()
		for range times {
			p.sample(100*time.Millisecond, percent*time.Millisecond)
		}
		if p.one != wantOne {
			t.Errorf("after %d samples of %d %%: one processor is %v", times, percent, p.one)
		}
	}
	sample(9, 20, false)
	sample(1, 50, false) // neither calm nor busy
	sample(9, 20, false)
	sample(1, 20, true)
	sample(100, 55, true)
	sample(1, 70, false) // at once
	sample(100, 50, false)
	sample(10, 0, true)
}
