//go:build unix

package chaos

import (
	"flag"
	"os"
	"testing"
	"time"
)

var deploys = flag.Int("deploys", 2, "rolling deploys in a row")

// A server is replaced while everybody talks: the new one is ready, then the old one
// is told to end. A send that fails meanwhile is repeated, and stored once.
func TestRollingDeploys(t *testing.T) {
	o := flagged()
	o.redis, o.durability, o.faithful, o.pause = "single", "disk", true, 50
	w := newWorld(t, o)
	outcome := w.act(func() {
		for range *deploys {
			for _, s := range w.slots {
				w.replace(s)
				w.record.fault("server drained and replaced")
			}
		}
	})
	r := &report{out: os.Stdout}
	r.act("under rolling deploys", outcome)
	r.say("%d passed, %d failed", r.passed, r.failed)
	if r.failed > 0 {
		t.Errorf("%d claims failed", r.failed)
	}
	for _, s := range outcome.sent {
		if len(s.acks) == 0 {
			t.Errorf("%s: %q is not stored", s.author, s.entry.text)
		}
	}
}

// resetLimit is how long a client may be without the word that its history was lost,
// from when its server is able to know.
const resetLimit = 2 * time.Second

// A primary goes whose replicas had not heard from it for a while, at DURABILITY memory.
// What is lost is exactly what Redis lost, and everybody who had been told it is told.
func TestLossyFailover(t *testing.T) {
	o := flagged()
	o.redis, o.durability, o.plain = "sentinel", "memory", true
	w := newWorld(t, o)
	primaries := w.backend.(*replicated)
	var knowable time.Time
	outcome := w.act(func() {
		w.wait(w.life, 3*time.Second)
		old := primaries.some(nil)
		old.ShutOutReplicas()
		w.wait(w.life, 3*time.Second)
		old.CutOff()
		if err := w.copyBranch(old); err != nil {
			t.Error(err)
		}
		primaries.promoted(old)
		knowable = time.Now()
		w.wait(w.life, 5*time.Second)
		old.LetReplicasIn()
		old.Rejoin()
		w.record.fault("primary lost with what its replicas had not")
	})
	r := &report{out: os.Stdout}
	r.act("when a primary is lost with what its replicas had not", outcome)
	acknowledged := 0
	for _, s := range outcome.sent {
		for _, h := range outcome.truth[s.room] {
			if len(s.acks) > 0 && h.parted[s.acks[0]] != nil {
				acknowledged++
			}
		}
	}
	victims, latest := 0, time.Duration(0)
	for _, script := range outcome.transcripts {
		if took, hit := script.toldOfLoss(outcome.truth, knowable); hit {
			victims++
			latest = max(latest, took)
		}
	}
	r.say("  redis lost %d acknowledged messages; %d transcripts had some of them, all were told reset, the last after %v",
		acknowledged, victims, latest.Round(time.Millisecond))
	r.claim(latest <= resetLimit, "told within %v", resetLimit)
	r.claim(acknowledged > 0 && victims > 0, "something was lost, and somebody had been told it")
	r.say("%d passed, %d failed", r.passed, r.failed)
	if r.failed > 0 {
		t.Errorf("%d claims failed", r.failed)
	}
}

// toldOfLoss says whether the client was told what is lost, and how long it took until
// it was told reset, from when that was knowable and the client there to be told.
func (t *transcript) toldOfLoss(truth truth, knowable time.Time) (took time.Duration, hit bool) {
	for _, e := range t.events {
		if e.what == asked && e.at.After(knowable) {
			knowable = e.at
		}
		for _, one := range e.entries {
			h := truth.of(t.room, e.upto.epoch)
			hit = hit || h != nil && h.parted[one.id] != nil
		}
		if hit && e.what == told {
			return max(0, e.at.Sub(knowable)), true
		}
	}
	return 0, hit
}
