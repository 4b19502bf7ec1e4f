//go:build linux

package main

import (
	"errors"
	"os"
	"slices"
	"testing"
	"time"

	"burble/app/bench/proc"
	"burble/app/bench/report"
	"burble/app/bench/target"
)

// Helpers for tests:
//
//	newBench        returns a bench with a built Burble; skips the test if Redis is missing
//	runOnce         runs the first target once
//	TestMain        makes the test binary run as a peer or a worker too
//	fakeCentrifugo  a server that speaks Centrifugo's protocol (centrifugo_test.go)

// builder builds Burble once for all tests.
var builder target.Burble

// TestMain makes the test binary run as a peer or a worker if its first argument is serve or worker.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && slices.Contains([]string{"serve", "worker"}, os.Args[1]) {
		main()
		return
	}
	var err error
	if builder.Folder, err = os.MkdirTemp("", "bench"); err != nil {
		panic(err)
	}
	code := m.Run()
	os.RemoveAll(builder.Folder)
	os.Exit(code)
}

// newBench returns a bench with these flags. Without Redis, it skips the test, or fails it in CI.
func newBench(t *testing.T, args ...string) *bench {
	t.Helper()
	if _, err := proc.FindRedis(); errors.Is(err, proc.ErrNoRedis) {
		if os.Getenv("CI") != "" {
			t.Fatal("no redis-server in PATH; CI may not skip this test")
		}
		t.Skip("no redis-server or valkey-server in PATH")
	}
	b, err := parseFlags(args)
	if err != nil {
		t.Fatal(err)
	}
	b.launcher.Burble.Folder, b.out, b.clientsPerProcess = t.TempDir(), t.Output(), 1000
	if b.launcher.Burble.Path, err = builder.Build(t.Context()); err != nil {
		t.Fatal(err)
	}
	return b
}

// runOnce runs the bench's first target once.
func (b *bench) runOnce(t *testing.T) *report.Result {
	t.Helper()
	p := &report.Plan{Target: b.targets[0], Mode: b.mode, Work: b.work}
	res, err := modes[b.mode](b, t.Context(), p, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Log(report.Row(res))
	return res
}

// shortRun returns args and the flags for a run of this duration.
func shortRun(duration time.Duration, args ...string) []string {
	return append(args, "-for", duration.String(), "-warm", "100ms", "-settle", "0s")
}
