package chaos

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"time"
)

// outcome is what an act came to.
type outcome struct {
	*checker
	record    *record
	converged time.Duration // after the last fault was mended
}

// convergeLimit is how long that may take on a quiet machine.
const convergeLimit = 5 * time.Second

// flaws are in the order of the report.
var flaws = []flaw{lost, repeated, reordered, gap, invented, forked, leaked, misplaced, undue, wrongReply, stale, late, behind, unclean}

// report is what a run prints.
type report struct {
	out            io.Writer
	passed, failed int
}

func (r *report) say(format string, args ...any) { fmt.Fprintf(r.out, format+"\n", args...) }

// claim prints a claim that failed, with its first findings, and counts it.
func (r *report) claim(holds bool, format string, args ...any) {
	if holds {
		r.passed++
		return
	}
	r.failed++
	r.say("FAILED: "+format, args...)
}

// act reports on one act.
func (r *report) act(name string, o *outcome) {
	limit := convergeLimit
	if raced() {
		limit *= 4
	}

	acknowledged, uncertain, again, longest := 0, 0, 0, time.Duration(0)
	for _, s := range o.sent {
		if len(s.acks) > 0 {
			acknowledged++
			longest = max(longest, s.acked.Sub(s.first))
		}
		again += max(0, len(s.attempts)-1)
		if s.uncertain() {
			uncertain++
		}
	}
	entries := 0
	for _, t := range o.transcripts {
		for i := range t.events {
			entries += len(t.events[i].entries)
		}
	}
	r.say("%s", name)
	total := 0
	for _, name := range slices.Sorted(maps.Keys(o.record.faults)) {
		r.say("  %5d x %s", o.record.faults[name], name)
		total += o.record.faults[name]
	}
	r.say("  %d faults; sent %d, acknowledged %d, uncertain at times %d; sent again %d times, the longest took %v; looked up %d",
		total, len(o.sent), acknowledged, uncertain, again, longest.Round(time.Millisecond), len(o.pages))
	r.say("  lost %d, repeated %d, reordered %d, silent gaps %d, declared gaps %d", o.count(lost), o.count(repeated), o.count(reordered), o.count(gap), o.declared)
	r.say("  %d transcripts compared, %d entries", len(o.transcripts), entries)
	r.say("  %d resumed: p50 %v, p99 %v, max %v", len(o.record.resumes), o.record.percentile(50), o.record.percentile(99), o.record.percentile(100))
	r.say("  all had everything %v after the last fault", o.converged.Round(time.Millisecond))
	for _, flaw := range flaws {
		found := o.count(flaw)
		r.claim(found == 0, "%s: %d", flaw, found)
		for _, one := range o.findings {
			if found > 0 && one.flaw == flaw {
				if found--; o.count(flaw)-found > 10 {
					break
				}
				r.say("    %s", one.text)
			}
		}
	}
	r.claim(o.converged <= limit, "not converged within %v", limit)
}
