//go:build unix

package chaos

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"time"
)

// planned is a fault that is to happen.
type planned struct {
	at, lasts time.Duration
	fault     fault
	target    int
}

// schedule deals the faults of each lane to each of its targets: all of them in
// some order, then all again in another. The same seed gives the same schedule.
func schedule(seed uint64, length time.Duration, faults []fault, targets map[lane]int) (all [][]planned) {
	for _, lane := range []lane{serverLane, edgeLane, linkLane, redisLane, crowdLane} {
		var kinds []fault
		for _, fault := range faults {
			if fault.lane == lane {
				kinds = append(kinds, fault)
			}
		}
		for target := range targets[lane] {
			random := stream(seed, fmt.Sprint(lane, target))
			all = append(all, deal(random, length, kinds, target, pauses[lane]))
		}
	}
	return all
}

// pauses are how long it is quiet between two faults of a lane, at most.
var pauses = map[lane]time.Duration{
	serverLane: 6 * time.Second, edgeLane: 5 * time.Second, linkLane: 5 * time.Second,
	redisLane: 2 * time.Second, crowdLane: 25 * time.Second,
}

func deal(random *rand.Rand, length time.Duration, kinds []fault, target int, pause time.Duration) (dealt []planned) {
	var deck []int
	for at := time.Duration(0); len(kinds) > 0; {
		if at += pause/4 + time.Duration(random.Int64N(int64(pause))); at > length {
			break
		}
		if len(deck) == 0 {
			deck = random.Perm(len(kinds))
		}
		next := planned{at: at, lasts: 300*time.Millisecond + time.Duration(random.Int64N(int64(3*time.Second))), fault: kinds[deck[0]], target: target}
		dealt = append(dealt, next)
		deck, at = deck[1:], at+next.lasts
	}
	return dealt
}

// stream is the seed's source of chance for one purpose.
func stream(seed uint64, purpose string) *rand.Rand {
	sum := fnv.New64a()
	sum.Write([]byte(purpose))
	return rand.New(rand.NewPCG(seed, sum.Sum64()))
}
