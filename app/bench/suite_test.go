//go:build linux

package main

import (
	"testing"
)

func TestEveryRequirementCanBeRun(t *testing.T) {
	b, err := parseFlags([]string{"-suite", "all", "-centrifugo", "1"})
	if err != nil {
		t.Fatal(err)
	}
	for _, req := range append(b.headline(), b.further()...) {
		for _, p := range req.plans {
			if err := p.work.check(); err != nil || modes[p.mode] == nil || p.work.Duration == 0 {
				t.Errorf("%s: %s %+v: %v", req.name, p.mode, p.work, err)
			}
		}
	}
}
