//go:build linux

package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestMain lets this test binary be what the bench starts from itself.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && slices.Contains([]string{"serve", "share"}, os.Args[1]) {
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
	b.folder, b.out, b.perProcess = t.TempDir(), t.Output(), 1000
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
		got, err := b.deliver(t.Context(), &plan{target: b.targets[0], mode: b.mode, work: b.work}, 0)
		if err != nil {
			t.Errorf("%v: %v", args, err)
			continue
		}
		t.Log(line(got))
		if wrong := got.wrong(); wrong != "" {
			t.Errorf("%v: %s", args, wrong)
		}
		each := int64(b.work.Clients * b.work.Follow / b.work.Rooms)
		if got.Deliveries == 0 || got.Deliveries%each != 0 || got.P50 <= 0 || got.Max < got.P99 || got.Server < 0 {
			t.Errorf("%v: %s", args, line(got))
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
	if err := b.measure(t.Context(), c, r, got, 0, func() func() error { return func() error { return nil } }); err != nil {
		t.Fatal(err)
	}
	if got.Missing != 9 || got.Skipped != 0 {
		t.Errorf("3 messages to 3 clients were never made, and it says %q", got.wrong())
	}
}

func TestClientsOfSeveralProcessesHearWhatOneOfThemSays(t *testing.T) {
	b := aBench(t, "idle", "-clients", "50", "-rate", "20", "-for", "500ms", "-warm", "100ms", "-settle", "0s")
	b.perProcess = 20
	got, err := b.deliver(t.Context(), &plan{target: b.targets[0], mode: b.mode, work: b.work}, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Log(line(got))
	if wrong := got.wrong(); wrong != "" || got.Deliveries < 400 || got.Deliveries > 600 || got.Memory <= 0 || got.P50 <= 0 {
		t.Errorf("%s: %s", line(got), wrong)
	}
	if got.Connections < 9 || got.Connections > 24 {
		t.Errorf("three servers have %d connections to Redis", got.Connections)
	}
}

func TestWhoComesBackGetsWhatTheyMissed(t *testing.T) {
	b := aBench(t, "resume", "-clients", "40", "-missed", "70")
	got, err := b.resume(t.Context(), &plan{target: b.targets[0], mode: b.mode, work: b.work}, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Log(line(got))
	if wrong := got.wrong(); wrong != "" || got.Deliveries != 40*70 || got.Opening <= 0 || got.Resuming <= 0 || got.Reads == 0 || got.Reads > 20 {
		t.Errorf("%d deliveries, %d reads: %s", got.Deliveries, got.Reads, wrong)
	}
}

func TestJoiningIsMeasuredInEveryWay(t *testing.T) {
	for _, entries := range []string{"20", "700"} {
		b := aBench(t, "join", "-entries", entries)
		got, err := b.join(t.Context(), &plan{target: b.targets[0], mode: b.mode, work: b.work}, 0)
		if err != nil {
			t.Fatal(err)
		}
		t.Log(line(got))
		if got.Page <= 0 || got.PageHTML <= 0 || got.Joining <= 0 {
			t.Errorf("%v, %v, %v", got.Page, got.PageHTML, got.Joining)
		}
	}
}

func TestStartIsMeasuredUntilItListensAndUntilItIsReady(t *testing.T) {
	b := aBench(t, "start")
	got, err := b.start(t.Context(), &plan{target: b.targets[0], mode: b.mode, work: b.work}, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Log(line(got))
	if got.Listening <= 0 || got.Ready < got.Listening {
		t.Errorf("it listened after %v and was ready after %v", got.Listening, got.Ready)
	}
}

func TestRunsOfSeveralTargetsEndInMediansAndAChart(t *testing.T) {
	b := aBench(t, "fanout", "-target", "burble,floor", "-rates", "50,200", "-runs", "2", "-clients", "10",
		"-for", "200ms", "-warm", "50ms", "-settle", "0s", "-chart", filepath.Join(t.TempDir(), "chart.svg"))
	var out strings.Builder
	b.out = &out
	if err := b.runAll(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Log(out.String())
	for text, want := range map[string]int{"  ok": 8 + 4, "| burble | 10 | 1 | 200 |": 1, "medians of 2 runs": 1} {
		if count := strings.Count(out.String(), text); count != want {
			t.Errorf("%q is there %d times instead of %d", text, count, want)
		}
	}
	chart, err := os.ReadFile(b.chart)
	if err != nil {
		t.Fatal(err)
	}
	if decoder := xml.NewDecoder(bytes.NewReader(chart)); strings.Count(string(chart), "<polyline") != 4 || !isXML(decoder) {
		t.Errorf("the chart is %s", chart)
	}
}

func isXML(decoder *xml.Decoder) bool {
	for {
		if _, err := decoder.Token(); err != nil {
			return err == io.EOF
		}
	}
}

func TestLadderEndsWhereSomethingBreaks(t *testing.T) {
	b := aBench(t, "ladder", "-target", "xread", "-clients", "60", "-rate", "3000", "-for", "300ms", "-warm", "0s", "-patience", "1s")
	var out strings.Builder
	b.out = &out
	if err := b.runAll(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "xread breaks at ") {
		t.Errorf("it ended with %s", out.String())
	}
}
