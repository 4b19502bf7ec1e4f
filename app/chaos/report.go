//go:build unix

package chaos

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"burble/app/apptest"
)

// outcome is the result of a phase.
type outcome struct {
	*checker
	record    *record
	converged time.Duration // from the last repair until every client had everything
}

// convergeLimit bounds converged. With the race detector it is four times as long.
const convergeLimit = 5 * time.Second

// flaws are in the order of the report.
var flaws = []flaw{lost, repeated, reordered, gap, invented, forked, leaked, misplaced, undue, wrongReply, stale, late, behind, unclean}

// report prints results and counts failed checks.
type report struct {
	out            io.Writer
	passed, failed int
}

func (r *report) printf(format string, args ...any) { fmt.Fprintf(r.out, format+"\n", args...) }

// expect counts a check, and prints it if it failed.
func (r *report) expect(ok bool, format string, args ...any) {
	if ok {
		r.passed++
		return
	}
	r.failed++
	r.printf("FAILED: "+format, args...)
}

// printPhase prints the outcome of a phase and checks it.
func (r *report) printPhase(name string, o *outcome) {
	acknowledged, uncertain, retries, longest := 0, 0, 0, time.Duration(0)
	for _, s := range o.sent {
		if len(s.acks) > 0 {
			acknowledged++
			longest = max(longest, s.acked.Sub(s.first))
		}
		retries += max(0, len(s.attempts)-1)
		if s.isUncertain() {
			uncertain++
		}
	}
	entries := 0
	for _, t := range o.transcripts {
		for i := range t.events {
			entries += len(t.events[i].entries)
		}
	}
	r.printf("%s", name)
	total := 0
	for _, name := range slices.Sorted(maps.Keys(o.record.faults)) {
		r.printf("  %5d x %s", o.record.faults[name], name)
		total += o.record.faults[name]
	}
	r.printf("  %d faults; sent %d, acknowledged %d, outcome unknown at times %d, retries %d, slowest %v, read back %d",
		total, len(o.sent), acknowledged, uncertain, retries, longest.Round(time.Millisecond), len(o.pages))
	r.printf("  lost %d, repeated %d, reordered %d, silent gaps %d, declared gaps %d", o.count(lost), o.count(repeated), o.count(reordered), o.count(gap), o.declared)
	r.printf("  compared %d transcripts with %d entries", len(o.transcripts), entries)
	r.printf("  resumed %d times: p50 %v, p99 %v, max %v", len(o.record.resumes), o.record.percentile(50), o.record.percentile(99), o.record.percentile(100))
	r.printf("  every client had everything %v after the last repair", o.converged.Round(time.Millisecond))
	for _, flaw := range flaws {
		r.expectNone(o, flaw)
	}
	limit := convergeLimit
	if apptest.Race() {
		limit *= 4
	}
	r.expect(o.converged <= limit, "did not converge within %v", limit)
}

// expectNone checks that a flaw was not found, and otherwise prints its first findings.
func (r *report) expectNone(o *outcome, flaw flaw) {
	const most = 10
	count := o.count(flaw)
	r.expect(count == 0, "%s: %d", flaw, count)
	printed := 0
	for _, finding := range o.findings {
		if finding.flaw == flaw && printed < most {
			printed++
			r.printf("    %s", finding.text)
		}
	}
}
