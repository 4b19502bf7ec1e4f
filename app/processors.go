package main

import (
	"context"
	"os"
	"runtime"
	"time"
)

const (
	// processorsEvery is how often it is looked how busy the process is.
	processorsEvery = 25 * time.Millisecond
	// busyShare is the share of one processor above which all are used.
	busyShare = 0.6
	// calmShare is the share below which one will do, and calmTime how long it must be so.
	calmShare = 0.4
	calmTime  = time.Second
)

// processors lets Go's scheduler use one processor while one is enough. With more, each
// message wakes a thread that looks for work on another and finds none: a sixth of the
// CPU where little happens at a time.
type processors struct {
	one  bool
	calm time.Duration // for how long one would have been enough
}

// run looks until ctx ends, unless the environment says how many processors to use, or
// it cannot be known how many are.
func (p *processors) run(ctx context.Context) {
	if os.Getenv("GOMAXPROCS") != "" || runtime.GOMAXPROCS(0) == 1 || cpuTime() == 0 {
		return
	}
	ticker := time.NewTicker(processorsEvery)
	defer ticker.Stop()
	defer runtime.SetDefaultGOMAXPROCS()
	for was, used := time.Now(), cpuTime(); ; {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		now, usedNow := time.Now(), cpuTime()
		one := p.one
		if p.look(now.Sub(was), usedNow-used); p.one != one {
			if p.one {
				runtime.GOMAXPROCS(1)
			} else {
				runtime.SetDefaultGOMAXPROCS()
			}
		}
		was, used = now, usedNow
	}
}

// look takes in how much CPU was used in a time.
func (p *processors) look(passed, used time.Duration) {
	share := used.Seconds() / passed.Seconds()
	switch {
	case share > busyShare:
		p.one, p.calm = false, 0
	case share > calmShare:
		p.calm = 0
	default:
		p.calm += passed
		p.one = p.one || p.calm >= calmTime
	}
}
