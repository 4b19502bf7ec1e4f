package tune

import (
	"context"
	"os"
	"runtime"
	"time"
)

const (
	sampleInterval = 25 * time.Millisecond // between two looks at the CPU time used
	busyShare      = 0.6                   // of one processor: above it, use all
	calmShare      = 0.4                   // below it for calmTime, use one
	calmTime       = time.Second
)

// SwitchProcessors sets GOMAXPROCS to 1 while this process needs little CPU, and back to
// Go's default once it needs more. When ctx ends it restores the default and returns nil.
//
// With more processors than it needs, Go's scheduler wakes a thread for each message that
// looks for work on another processor and finds none.
//
// SwitchProcessors returns at once if GOMAXPROCS is in the environment, if there is only
// one processor, or if the system does not report the CPU time used. Code that starts a
// goroutine for each processor must read runtime.GOMAXPROCS before the first switch, which
// comes after a second at the earliest.
func SwitchProcessors(ctx context.Context) error {
	if os.Getenv("GOMAXPROCS") != "" || runtime.GOMAXPROCS(0) == 1 || cpuTime() == 0 {
		return nil
	}
	ticker := time.NewTicker(sampleInterval)
	defer ticker.Stop()
	defer runtime.SetDefaultGOMAXPROCS()
	var p processors
	for last, lastUsed := time.Now(), cpuTime(); ; {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		now, used := time.Now(), cpuTime()
		wasOne := p.one
		p.sample(now.Sub(last), used-lastUsed)
		switch {
		case p.one && !wasOne:
			runtime.GOMAXPROCS(1)
		case !p.one && wasOne:
			runtime.SetDefaultGOMAXPROCS()
		}
		last, lastUsed = now, used
	}
}

// processors decides between one processor and all.
type processors struct {
	one  bool          // use one processor
	calm time.Duration // how long the load has been below calmShare
}

// sample updates the decision: the process used so much CPU time in so much real time.
func (p *processors) sample(elapsed, used time.Duration) {
	share := used.Seconds() / elapsed.Seconds()
	switch {
	case share > busyShare:
		p.one, p.calm = false, 0
	case share > calmShare:
		p.calm = 0
	default:
		p.calm += elapsed
		p.one = p.one || p.calm >= calmTime
	}
}
