//go:build unix

package chaos

import (
	"bytes"
	"io"
	"os"
	"slices"
	"testing"
	"time"

	"burble/app/chaos/check"
)

// The whole harness is checked as well: servers with a defect are found out. The last
// ones are the control: what a server would be without its guards.
func TestServersWithADefectAreFoundOut(t *testing.T) {
	t.Parallel()
	program := build(t, "-tags=chaos")
	for defect, found := range map[string]struct {
		flaws  []check.Flaw
		faults string // that bring it to light, should it need any
	}{
		"drop":                                 {[]check.Flaw{check.Gap}, "none"},
		"twice":                                {[]check.Flaw{check.Repeated}, "none"},
		"swap":                                 {[]check.Flaw{check.Reordered}, "none"},
		"fork":                                 {[]check.Flaw{check.Forked}, "none"},
		"leak":                                 {[]check.Flaw{check.Leaked}, "none"},
		"early_ack":                            {[]check.Flaw{check.Lost}, "none"},
		"no_checks":                            {[]check.Flaw{check.Gap}, "room"},
		"no_keys":                              {[]check.Flaw{check.Repeated}, "cut before replies"},
		"no_keys,no_care_of_retries,no_checks": {[]check.Flaw{check.Repeated, check.Gap}, "e"},
	} {
		t.Run(defect, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t, options{
				redis: "single", durability: "memory", servers: 2, pause: 100, patience: 3 * time.Second,
				program: program, env: []string{"BURBLE_DEFECT=" + defect},
			})
			if left := h.searchFor(found.flaws, found.faults); len(left) > 0 {
				t.Errorf("not found to be %v", left)
			}
		})
	}
}

// searchFor lets faults happen under one seed after the other, until all of the flaws were
// found: a defect may have no occasion within a few seconds of a busy machine. It returns
// those that no seed brought to light.
func (h *harness) searchFor(flaws []check.Flaw, faults string) []check.Flaw {
	for seed := range uint64(8) {
		h.options.seed = seed + 1
		o := h.runPhase(false, func(p *phase) { p.inject(4*time.Second, h.faultsWith(faults)) })
		(&report{out: io.Discard}).printPhase("searching", o)
		flaws = slices.DeleteFunc(flaws, func(flaw check.Flaw) bool { return o.Count(flaw) > 0 })
		if len(flaws) == 0 {
			break
		}
	}
	return flaws
}

func TestReleaseHasNoDefects(t *testing.T) {
	hooks := []string{"BURBLE_DEFECT", "streams.marred", "streams.planted"}
	for tags, want := range map[string]bool{"": false, "chaos": true} {
		program, err := os.ReadFile(build(t, "-tags="+tags))
		if err != nil {
			t.Fatal(err)
		}
		for _, hook := range hooks {
			if bytes.Contains(program, []byte(hook)) != want {
				t.Errorf("%s in a build with the tags %q: %v", hook, tags, !want)
			}
		}
	}
}
