//go:build linux

package main

import (
	"testing"
)

func TestRequirementsAreRunnable(t *testing.T) {
	t.Parallel()
	b, err := parseFlags([]string{"-suite", "all", "-centrifugo", "1"})
	if err != nil {
		t.Fatal(err)
	}
	for _, req := range append(b.headline(), b.otherRequirements()...) {
		for _, p := range req.Plans {
			if err := p.Work.Check(); err != nil || modes[p.Mode] == nil || p.Work.Duration == 0 {
				t.Errorf("%s: mode %s cannot run %+v: %v", req.Name, p.Mode, p.Work, err)
			}
		}
	}
}
