//go:build unix

package chaos

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"time"
)

// plannedFault is a scheduled occurrence of a fault.
type plannedFault struct {
	at, lasts time.Duration
	fault     fault
	target    int
}

// schedule plans the faults for each target of each component. A target has all faults of its component
// in random order, then all of them again in a different order. The same seed gives the same schedule.
func schedule(seed uint64, length time.Duration, faults []fault, targets map[component]int) (all [][]plannedFault) {
	for _, component := range []component{serverProcess, clientNetwork, redisNetwork, redisProcess, clients} {
		var kinds []fault
		for _, fault := range faults {
			if fault.on == component {
				kinds = append(kinds, fault)
			}
		}
		for target := range targets[component] {
			random := newRandom(seed, fmt.Sprint(component, target))
			all = append(all, planTarget(random, length, kinds, target, pauses[component]))
		}
	}
	return all
}

// pauses maps each component to the pause between two faults of a target. The actual pause is random, from one
// quarter of it to five quarters.
var pauses = map[component]time.Duration{
	serverProcess: 6 * time.Second, clientNetwork: 5 * time.Second, redisNetwork: 5 * time.Second,
	redisProcess: 2 * time.Second, clients: 25 * time.Second,
}

func planTarget(random *rand.Rand, length time.Duration, kinds []fault, target int, pause time.Duration) (plan []plannedFault) {
	var order []int
	for at := time.Duration(0); len(kinds) > 0; {
		if at += pause/4 + time.Duration(random.Int64N(int64(pause))); at > length {
			break
		}
		if len(order) == 0 {
			order = random.Perm(len(kinds))
		}
		next := plannedFault{at: at, lasts: 300*time.Millisecond + time.Duration(random.Int64N(int64(3*time.Second))), fault: kinds[order[0]], target: target}
		plan = append(plan, next)
		order, at = order[1:], at+next.lasts
	}
	return plan
}

// newRandom returns random numbers that depend only on the seed and the purpose.
func newRandom(seed uint64, purpose string) *rand.Rand {
	sum := fnv.New64a()
	sum.Write([]byte(purpose))
	return rand.New(rand.NewPCG(seed, sum.Sum64()))
}
