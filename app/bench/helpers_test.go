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
//	newBench        a bench with these flags, on a built Burble; skips without Redis
//	runOnce         one run of its first target
//	TestMain        lets the test binary serve as peer and as worker
//	fakeCentrifugo  a server that speaks Centrifugo's protocol (centrifugo_test.go)

// builder builds the Burble that all tests measure.
var builder target.Burble

// TestMain lets the test binary be started again as a peer or a worker.
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

// newBench returns a bench with these flags.
func newBench(t *testing.T, args ...string) *bench {
	t.Helper()
	if _, err := proc.FindRedis(); errors.Is(err, proc.ErrNoRedis) {
		if os.Getenv("CI") != "" {
			t.Fatal("no redis-server on PATH, and CI must not skip")
		}
		t.Skip("skipped: needs a redis-server or valkey-server on PATH")
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

// runOnce makes one run of the bench's first target.
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

// shortly returns flags for a run of this duration.
func shortly(duration time.Duration, args ...string) []string {
	return append(args, "-for", duration.String(), "-warm", "100ms", "-settle", "0s")
}
