//go:build linux

package main

import (
	"errors"
	"os"
	"testing"
	"time"
)

// TestMain lets this test binary be the peers, which the bench starts from itself.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "serve" {
		main()
		return
	}
	var err error
	if forAll.folder, err = os.MkdirTemp("", "bench"); err != nil {
		panic(err)
	}
	code := m.Run()
	os.RemoveAll(forAll.folder)
	os.Exit(code)
}

// aBench is the bench with these flags.
func aBench(t *testing.T, args ...string) *bench {
	t.Helper()
	if _, err := findRedis(); errors.Is(err, errNoRedis) {
		if os.Getenv("CI") != "" {
			t.Fatal("no redis-server on PATH, and CI must not skip")
		}
		t.Skip("skipped: needs a redis-server or valkey-server on PATH")
	}
	b, err := parseFlags(args)
	if err != nil {
		t.Fatal(err)
	}
	b.folder, b.out = t.TempDir(), t.Output()
	if b.burble, err = forAll.buildBurble(t.Context()); err != nil {
		t.Fatal(err)
	}
	return b
}

// forAll builds the Burble that all tests measure.
var forAll bench

func TestEveryTargetDeliversEverythingOnceAndInOrder(t *testing.T) {
	for _, args := range [][]string{
		{"fanout", "-target", "burble", "-clients", "30"},
		{"fanout", "-target", "burble", "-clients", "30", "-transport", "sse"},
		{"fanout", "-target", "floor", "-clients", "30"},
		{"fanout", "-target", "hub", "-clients", "30"},
		{"fanout", "-target", "xread", "-clients", "30"},
		{"fanout", "-target", "floor", "-clients", "30", "-rooms", "3"},
		{"fanout", "-target", "hub", "-clients", "30", "-rooms", "3"},
		{"rooms", "-target", "burble", "-clients", "30", "-rooms", "50", "-follow", "5"},
	} {
		args = append(args, "-rate", "300", "-for", "300ms", "-warm", "100ms", "-settle", "0s")
		b := aBench(t, args...)
		got, err := b.deliver(t.Context(), b.targets[0], b.work, 0)
		if err != nil {
			t.Errorf("%v: %v", args, err)
			continue
		}
		t.Log(got.line())
		if wrong := got.wrong(); wrong != "" {
			t.Errorf("%v: %s", args, wrong)
		}
		each := int64(b.work.Clients * b.work.Follow / b.work.Rooms)
		if got.Deliveries == 0 || got.Deliveries%each != 0 || got.P50 <= 0 || got.Max < got.P99 || got.Server < 0 {
			t.Errorf("%v: %s", args, got.line())
		}
		if got.Memory <= 0 || got.Resident < 1<<20 {
			t.Errorf("%v: the server has %d bytes, %.0f for each connection", args, got.Resident, got.Memory)
		}
	}
}

func TestWhatNeverArrivesIsMissing(t *testing.T) {
	b := aBench(t, "fanout", "-target", "floor", "-clients", "3", "-rate", "100", "-for", "100ms", "-warm", "0s", "-patience", "2s")
	r, err := startRedis(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer r.end()
	less := b.work
	less.Lasts -= 30 * time.Millisecond // three messages
	s, err := launchFloor(t.Context(), b, less, r)
	if err != nil {
		t.Fatal(err)
	}
	defer s.end()
	b.work.oneSource = true
	c, err := gather(t.Context(), s, b.work)
	if err != nil {
		t.Fatal(err)
	}
	defer c.end()
	got := &result{Work: b.work}
	if err := b.measure(t.Context(), c, r, got, 0); err != nil {
		t.Fatal(err)
	}
	if got.Missing != 9 || got.Skipped != 0 {
		t.Errorf("3 messages to 3 clients were never made, and it says %q", got.wrong())
	}
}
