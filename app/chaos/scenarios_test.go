//go:build unix

package chaos

import (
	"flag"
	"os"
	"testing"
	"time"

	"burble/app/chaos/check"
)

var deploys = flag.Int("deploys", 2, "rolling deploys in a row")

// Servers are replaced while clients talk: the new one is ready, then the old one drains. A
// send that fails meanwhile is retried, and stored once.
func TestRollingDeploys(t *testing.T) {
	t.Parallel()
	o := optionsFromFlags()
	o.redis, o.durability, o.faithful, o.pause = "single", "disk", true, 50
	h := newHarness(t, o)
	outcome := h.runPhase(false, func(p *phase) {
		for range *deploys {
			for _, s := range h.slots {
				p.replace(s)
				p.countFault("server drained and replaced")
			}
		}
	})
	r := &report{out: os.Stdout}
	r.printPhase("with rolling deploys", outcome)
	r.printf("%d checks passed, %d failed", r.passed, r.failed)
	if r.failed > 0 {
		t.Errorf("%d checks failed", r.failed)
	}
	for _, s := range outcome.Sent {
		if len(s.Acks) == 0 {
			t.Errorf("%s: %q is not stored", s.Author, s.Entry.Text)
		}
	}
}

// resetLimit is how long after its server can know it a client may be without the news
// that its history was lost.
const resetLimit = 2 * time.Second

// At durability memory, a primary is lost that had entries which its replicas had not. What
// clients lose is exactly what Redis lost, and every client that read it is told.
func TestLossyFailover(t *testing.T) {
	t.Parallel()
	o := optionsFromFlags()
	o.redis, o.durability, o.plain = "sentinel", "memory", true
	h := newHarness(t, o)
	sentinel := h.backend.(*replicated)
	var detectable time.Time
	outcome := h.runPhase(false, func(p *phase) {
		wait(h.ctx, 3*time.Second)
		old := sentinel.pickPrimary(nil)
		old.RejectReplicas()
		wait(h.ctx, 3*time.Second)
		old.CutOff()
		if err := p.captureOrphans(old); err != nil {
			t.Error(err)
		}
		sentinel.awaitPromoted(old)
		detectable = time.Now()
		wait(h.ctx, 5*time.Second)
		old.AdmitReplicas()
		old.Rejoin()
		p.countFault("primary lost with entries that its replicas had not")
	})
	r := &report{out: os.Stdout}
	r.printPhase("with a primary lost together with entries that its replicas had not", outcome)
	acknowledged := 0
	for _, s := range outcome.Sent {
		for _, history := range outcome.Truth[s.Room] {
			if len(s.Acks) > 0 && history.Orphans[s.Acks[0]] != nil {
				acknowledged++
			}
		}
	}
	affected, latest := 0, time.Duration(0)
	for _, transcript := range outcome.Transcripts {
		if took, ok := timeToReset(transcript, outcome.Truth, detectable); ok {
			affected++
			latest = max(latest, took)
		}
	}
	r.printf("  Redis lost %d acknowledged messages; %d transcripts had some of them and were told reset, the last after %v",
		acknowledged, affected, latest.Round(time.Millisecond))
	r.expect(latest <= resetLimit, "not told reset within %v", resetLimit)
	r.expect(acknowledged > 0 && affected > 0, "no entry was lost, or no client had read one that was")
	r.printf("%d checks passed, %d failed", r.passed, r.failed)
	if r.failed > 0 {
		t.Errorf("%d checks failed", r.failed)
	}
}

// timeToReset reports whether the client read an entry that was lost, and how long it then
// took until it was told, from the time when the server could know and the client was
// connected.
func timeToReset(t *check.Transcript, truth check.Truth, detectable time.Time) (took time.Duration, affected bool) {
	for _, e := range t.Events {
		if e.Kind == check.Requested && e.At.After(detectable) {
			detectable = e.At
		}
		for _, one := range e.Entries {
			h := truth.Of(t.Room, e.Upto.Epoch)
			affected = affected || h != nil && h.Orphans[one.ID] != nil
		}
		if affected && e.Kind == check.Followed {
			return max(0, e.At.Sub(detectable)), true
		}
	}
	return 0, affected
}
