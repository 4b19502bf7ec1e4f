//go:build unix

package chaos

import (
	"context"
	"time"
)

// run is the whole: most of the time under every fault but the one that leaves
// nothing, then a while under that.
func (w *world) run(r *report) {
	limit := convergeLimit
	if raced() {
		limit *= 4
	}
	faults := append(commonFaults(), w.backend.faults()...)
	last := max(w.options.length/8, 8*time.Second)
	r.act("under all faults but flushes", w.act(w.options.length-last, faults), limit)
	w.flushes = true
	r.act("under flushes", w.act(last, []fault{flushFault}), limit)
	w.flushes = false
	w.reportResources(r)
	r.say("%d passed, %d failed", r.passed, r.failed)
}

// reportResources checks that what was used is given back.
func (w *world) reportResources(r *report) {
	ctx, cancel := context.WithTimeout(w.life, patience)
	defer cancel()
	for i, s := range w.slots {
		first := w.slots[i].first
		now, ok := s.burble.resources(ctx)
		for ctx.Err() == nil && !(ok && now.within(first)) {
			w.wait(ctx, 200*time.Millisecond)
			now, ok = s.burble.resources(ctx)
		}
		r.say("  server %d began with %v and ended with %v", i, first, now)
		r.claim(ok && now.within(first), "server %d did not give back what it used", i)
	}
	count, most := w.connections(), redisMost*len(w.slots)*len(w.backend.primaries())
	r.say("  %d connections to redis", count)
	r.claim(count <= most, "%d connections to redis, at most %d are allowed", count, most)
}
