//go:build unix

package chaos

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

func TestSeedDeterminesSchedule(t *testing.T) {
	faults := append(commonFaults(), (&single{}).faults()...)
	targets := map[component]int{serverProcess: 3, clientNetwork: 3, redisNetwork: 3, redisProcess: 1, clients: 1}
	list := func(seed uint64) (lines []string) {
		for _, plan := range schedule(seed, 10*time.Minute, faults, targets) {
			for _, next := range plan {
				lines = append(lines, fmt.Sprint(next.at, next.lasts, next.target, next.fault.name))
			}
		}
		return lines
	}
	if !slices.Equal(list(1), list(1)) {
		t.Error("the same seed gave two schedules")
	}
	if slices.Equal(list(1), list(2)) {
		t.Error("two seeds gave the same schedule")
	}
	planned := make(map[string]bool)
	for _, plan := range schedule(1, time.Minute, faults, targets) {
		for _, next := range plan {
			planned[next.fault.name] = true
		}
	}
	if len(planned) != len(faults) {
		t.Errorf("%d faults are scheduled within a minute, want all %d", len(planned), len(faults))
	}
}
