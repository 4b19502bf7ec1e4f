//go:build unix

package chaos

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

func TestSeedDecidesTheSchedule(t *testing.T) {
	faults := append(commonFaults(), (&single{}).faults()...)
	targets := map[lane]int{serverLane: 3, edgeLane: 3, linkLane: 3, redisLane: 1, crowdLane: 1}
	tell := func(seed uint64) (story []string) {
		for _, lane := range schedule(seed, 10*time.Minute, faults, targets) {
			for _, next := range lane {
				story = append(story, fmt.Sprint(next.at, next.lasts, next.target, next.fault.name))
			}
		}
		return story
	}
	if !slices.Equal(tell(1), tell(1)) {
		t.Error("one seed gave two schedules")
	}
	if slices.Equal(tell(1), tell(2)) {
		t.Error("two seeds gave one schedule")
	}
	happens := make(map[string]bool)
	for _, lane := range schedule(1, time.Minute, faults, targets) {
		for _, next := range lane {
			happens[next.fault.name] = true
		}
	}
	if len(happens) != len(faults) {
		t.Errorf("of %d faults %d happen in a minute", len(faults), len(happens))
	}
}
