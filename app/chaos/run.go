//go:build unix

package chaos

import (
	"context"
	"slices"
	"strings"
	"time"
)

// run runs a phase with all faults except flushes, and a short one with flushes. Then it checks
// that the servers have released their resources.
func (h *harness) run(r *report) {
	faults := h.faultsWith(h.options.only)
	flushing := min(max(h.options.length/8, 8*time.Second), h.options.length/2)
	r.printPhase("with all faults except flushes", h.runPhase(false, func(p *phase) { p.inject(h.options.length-flushing, faults) }))
	if s, ok := h.backend.(*replicated); ok && s.failovers.Load() > 0 {
		// If Sentinel replaces a primary that is alive but slow, that primary and its other replica acknowledge
		// more entries, which are then lost.
		r.printf("  %d failovers, %d of them because of a fault", s.failovers.Load(), s.intendedFailovers.Load())
	}
	r.printPhase("with flushes", h.runPhase(true, func(p *phase) { p.inject(flushing, []fault{h.flushFault()}) }))
	h.checkResources(r)
	r.printf("%d checks passed, %d failed", r.passed, r.failed)
}

// faultsWith returns the faults whose names contain the text.
func (h *harness) faultsWith(text string) []fault {
	return slices.DeleteFunc(append(commonFaults(), h.backend.faults()...), func(f fault) bool {
		return !strings.Contains(f.name, text)
	})
}

// checkResources checks that the servers have released their resources.
func (h *harness) checkResources(r *report) {
	ctx, cancel := context.WithTimeout(h.testCtx, h.options.patience)
	defer cancel()
	_, each := h.backend.expectedCounts()
	primaries := len(h.backend.primaries())
	// When the baseline was measured, a server may have opened only a few of its connections.
	spare := spareResources + (each-maxConnections)*primaries
	for i, s := range h.slots {
		var now resources
		released := false
		for ; ctx.Err() == nil && !released; wait(ctx, 200*time.Millisecond) {
			if found, ok := s.process.resources(ctx); ok {
				now, released = found, found.fits(s.baseline, spare)
			}
		}
		r.printf("  server %d: %v at first, %v in the end", i, s.baseline, now)
		r.expect(released, "server %d did not release its resources", i)
	}
	count, most := h.connections(), each*len(h.slots)*primaries
	r.printf("  %d connections to Redis", count)
	r.expect(count <= most, "%d connections to Redis, want at most %d", count, most)
}
