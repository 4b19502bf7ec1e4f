//go:build unix

package chaos

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"burble/app/apptest"
	"burble/app/chaos/bots"
	"burble/app/chaos/check"
)

// outcome is the result of a phase.
type outcome struct {
	*check.Checker
	record     *bots.Record
	sendsFiles bool           // whether authors send files
	faults     map[string]int // how many times each fault happened
	converged  time.Duration  // time from the last repair until every client had received everything
}

// convergeLimit is the upper limit for outcome.converged. It is four times as long with the race
// detector.
const convergeLimit = 5 * time.Second

// allFlaws lists all flaws in the order in which the report prints them.
var allFlaws = []check.Flaw{check.Lost, check.Repeated, check.Reordered, check.SilentGap, check.Invented, check.Conflict, check.Leaked, check.WrongPosition, check.FalseGap, check.WrongReply, check.Stale, check.LateReply, check.Incomplete, check.UncleanShutdown, check.Trespass, check.WrongEnd, check.LateEnd}

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
	acknowledged, withFiles, uncertain, retries, longest := 0, 0, 0, 0, time.Duration(0)
	for _, s := range o.Sent {
		if len(s.Acks) > 0 {
			acknowledged++
			if s.Entry.Files != "" {
				withFiles++
			}
			longest = max(longest, s.Acked.Sub(s.First))
		}
		retries += max(0, len(s.Attempts)-1)
		if s.IsUncertain() {
			uncertain++
		}
	}
	entries := 0
	for _, t := range o.Transcripts {
		for i := range t.Events {
			entries += len(t.Events[i].Entries)
		}
	}
	r.printf("%s", name)
	total := 0
	for _, name := range slices.Sorted(maps.Keys(o.faults)) {
		r.printf("  %5d x %s", o.faults[name], name)
		total += o.faults[name]
	}
	r.printf("  %d faults; sent %d, acknowledged %d (%d with files), temporarily unknown %d, retries %d, slowest %v, pages read %d",
		total, len(o.Sent), acknowledged, withFiles, uncertain, retries, longest.Round(time.Millisecond), len(o.Pages))
	r.printf("  lost %d, repeated %d, reordered %d, silent gaps %d, declared gaps %d", o.Count(check.Lost), o.Count(check.Repeated), o.Count(check.Reordered), o.Count(check.SilentGap), o.Declared)
	r.printf("  checked %d transcripts with %d entries", len(o.Transcripts), entries)
	r.printf("  resumed %d times: p50 %v, p99 %v, max %v", o.record.Resumed(), o.record.Percentile(50), o.record.Percentile(99), o.record.Percentile(100))
	r.printf("  every client had received everything %v after the last repair", o.converged.Round(time.Millisecond))
	r.printHiddenRooms(o)
	r.expect(withFiles > 0 || !o.sendsFiles, "no message with files was stored")
	for _, flaw := range allFlaws {
		r.expectNone(o, flaw)
	}
	limit := convergeLimit
	if apptest.HasRaceDetector() {
		limit *= 4
	}
	r.expect(o.converged <= limit, "did not converge within %v", limit)
}

// printHiddenRooms prints what happened in hidden rooms.
func (r *report) printHiddenRooms(o *outcome) {
	removals, closed, refused := 0, make(map[string]int), 0
	for _, s := range o.Sent {
		if s.Entry.Role == "none" {
			removals++
		}
	}
	for _, t := range o.Transcripts {
		for i := range t.Events {
			switch e := &t.Events[i]; e.Kind {
			case check.Closed:
				closed[e.Code]++
			case check.Refused:
				refused++
			}
		}
	}
	if removals > 0 {
		r.printf("  removed members %d times and ended %d sessions; closed %v reads, refused %d", removals, len(o.Ends), closed, refused)
	}
}

// expectNone checks that a flaw did not occur. Otherwise it prints the first findings.
func (r *report) expectNone(o *outcome, flaw check.Flaw) {
	const most = 10
	count := o.Count(flaw)
	r.expect(count == 0, "%s: %d", flaw, count)
	printed := 0
	for _, finding := range o.Findings {
		if finding.Flaw == flaw && printed < most {
			printed++
			r.printf("    %s", finding.Text)
		}
	}
}
