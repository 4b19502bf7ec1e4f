//go:build unix

package chaos

import (
	"flag"
	"testing"
	"time"

	"burble/app/apptest"
	"burble/app/chaos/check"
	"burble/streams/redistest"
)

var deploys = flag.Int("deploys", 2, "number of rolling deploys")

// This test replaces servers while clients talk. It starts a new server, and drains the old one when
// the new one is ready. Sends that fail during this must be retried and stored once.
func TestRollingDeploys(t *testing.T) {
	redistest.SkipUnlessLong(t)
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
	r := &report{out: t.Output()}
	r.printPhase("with rolling deploys", outcome)
	r.printf("%d checks passed, %d failed", r.passed, r.failed)
	if r.failed > 0 {
		t.Errorf("%d checks failed, want 0", r.failed)
	}
	for _, s := range outcome.Sent {
		if len(s.Acks) == 0 {
			t.Errorf("%s: %q is not stored", s.Author, s.Entry.Text)
		}
	}
}

// resetLimit returns the maximum time until a client receives a reset, once its server can detect that the
// history was lost. With the race detector and other tests at the same time, it took up to 11 s.
func resetLimit() time.Duration {
	if apptest.HasRaceDetector() {
		return 20 * time.Second
	}
	return 2 * time.Second
}

// With durability memory, a primary may have entries that its replicas do not have. If it is lost,
// exactly these entries are lost, and every client that has read one gets a reset.
func TestLossyFailover(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	o := optionsFromFlags()
	o.redis, o.durability, o.plain = "sentinel", "memory", true
	h := newHarness(t, o)
	sentinel := h.backend.(*replicated)
	var detectableSince time.Time
	outcome := h.runPhase(false, func(p *phase) {
		wait(h.testCtx, 3*time.Second)
		old := sentinel.pickPrimary(nil)
		old.RejectReplicas()
		wait(h.testCtx, 3*time.Second)
		old.CutOff()
		if err := p.captureOrphans(old); err != nil {
			t.Error(err)
		}
		sentinel.awaitPromoted(old)
		detectableSince = time.Now()
		wait(h.testCtx, 5*time.Second)
		old.AdmitReplicas()
		old.Rejoin()
		p.countFault("primary lost with entries that no replica had")
	})
	r := &report{out: t.Output()}
	r.printPhase("with the loss of a primary and of entries that no replica had", outcome)
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
		if took, ok := timeToReset(transcript, outcome.Truth, detectableSince); ok {
			affected++
			latest = max(latest, took)
		}
	}
	r.printf("  Redis lost %d acknowledged messages; %d transcripts had some of them and got a reset, the last after %v",
		acknowledged, affected, latest.Round(time.Millisecond))
	r.expect(latest <= resetLimit(), "a client got no reset within %v", resetLimit())
	r.expect(acknowledged > 0 && affected > 0, "no entry was lost, or no client had read a lost entry")
	r.printf("%d checks passed, %d failed", r.passed, r.failed)
	if r.failed > 0 {
		t.Errorf("%d checks failed, want 0", r.failed)
	}
}

// timeToReset reports whether the client has read a lost entry, and how long it took until the client
// received a reset. The time starts when the server can detect the loss and the client is connected.
func timeToReset(t *check.Transcript, truth check.Truth, detectable time.Time) (took time.Duration, affected bool) {
	for _, e := range t.Events {
		if e.Kind == check.Requested && e.At.After(detectable) {
			detectable = e.At
		}
		for _, entry := range e.Entries {
			h := truth.Lookup(t.Room, e.Upto.Epoch)
			affected = affected || h != nil && h.Orphans[entry.ID] != nil
		}
		if affected && e.Kind == check.Followed {
			return max(0, e.At.Sub(detectable)), true
		}
	}
	return 0, affected
}
