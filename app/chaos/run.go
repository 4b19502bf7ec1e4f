//go:build unix

package chaos

import (
	"context"
	"slices"
	"strings"
	"time"
)

// run is the whole: most of the time under every fault but the one that leaves
// nothing, then a while under that.
func (w *world) run(r *report) {
	faults := w.faultsWith(w.options.only)
	last := max(w.options.length/8, 8*time.Second)
	r.act("under all faults but flushes", w.act(func() { w.harm(w.options.length-last, faults) }))
	w.flushes = true
	r.act("under flushes", w.act(func() { w.harm(last, []fault{w.flushFault()}) }))
	w.flushes = false
	w.reportResources(r)
	r.say("%d passed, %d failed", r.passed, r.failed)
}

// faultsWith are the faults that have the text in their name.
func (w *world) faultsWith(text string) []fault {
	return slices.DeleteFunc(append(commonFaults(), w.backend.faults()...), func(one fault) bool {
		return !strings.Contains(one.name, text)
	})
}

// reportResources checks that what was used is given back.
func (w *world) reportResources(r *report) {
	ctx, cancel := context.WithTimeout(w.life, w.options.patience)
	defer cancel()
	_, each := w.backend.limits()
	primaries := len(w.backend.primaries())
	// Connections are made when they are needed, and most were not at first.
	spare := spareThings + (each-redisMost)*primaries
	for i, s := range w.slots {
		var now resources
		fits := false
		for ; ctx.Err() == nil && !fits; w.wait(ctx, 200*time.Millisecond) {
			if found, ok := s.burble.resources(ctx); ok {
				now, fits = found, found.within(s.first, spare)
			}
		}
		r.say("  server %d began with %v and ended with %v", i, s.first, now)
		r.claim(fits, "server %d did not give back what it used", i)
	}
	count, most := w.connections(), each*len(w.slots)*primaries
	r.say("  %d connections to redis", count)
	r.claim(count <= most, "%d connections to redis, at most %d are allowed", count, most)
}
