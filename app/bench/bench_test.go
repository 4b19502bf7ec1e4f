//go:build linux

package main

import (
	"bytes"
	"encoding/xml"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"burble/app/bench/proc"
	"burble/app/bench/report"
	"burble/streams/redistest"
)

func TestTargetsDeliverEveryMessageOnceAndInOrder(t *testing.T) {
	redistest.SkipUnlessLong(t)
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
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			b := newBench(t, shortRun(300*time.Millisecond, append(args, "-rate", "300")...)...)
			res := b.runOnce(t)
			if faults := res.Faults(); faults != "" {
				t.Error(faults)
			}
			perMessage := int64(b.work.Clients * b.work.Follow / b.work.Rooms)
			if res.Deliveries == 0 || res.Deliveries%perMessage != 0 {
				t.Errorf("%d deliveries, want a multiple of %d", res.Deliveries, perMessage)
			}
			if res.P50 <= 0 || res.Max < res.P99 || res.ServerCPU < 0 {
				t.Errorf("p50 %v, p99 %v, max %v, CPU %v; want positive times in ascending order", res.P50, res.P99, res.Max, res.ServerCPU)
			}
			if res.Memory <= 0 || res.Resident < 1<<20 {
				t.Errorf("the server uses %d bytes, %.0f per connection; want at least 1 MiB, and more than 0", res.Resident, res.Memory)
			}
		})
	}
}

func TestLostMessagesAreCountedAsMissing(t *testing.T) {
	redistest.SkipUnlessLong(t)
	b := newBench(t, "fanout", "-target", "floor", "-clients", "3", "-rate", "100", "-for", "100ms", "-warm", "0s", "-patience", "2s")
	r, err := proc.StartRedis(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Stop()
	shorter := b.work
	shorter.Duration -= 30 * time.Millisecond // three messages
	s, err := b.launcher.Launch(t.Context(), "floor", shorter, r)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Stop()
	b.work.ServerSends = true
	l, err := s.Load(t.Context(), b.work)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Stop()
	res := &report.Result{Work: b.work}
	noProfile := func() func() error { return func() error { return nil } }
	if err := b.measure(t.Context(), s, l, r, res, 0, noProfile); err != nil {
		t.Fatal(err)
	}
	if res.Missing != 9 || res.Skipped != 0 {
		t.Errorf("faults are %q, want 3 missing messages for each of 3 clients", res.Faults())
	}
}

func TestWorkersShareClients(t *testing.T) {
	redistest.SkipUnlessLong(t)
	b := newBench(t, shortRun(500*time.Millisecond, "idle", "-clients", "50", "-rate", "20")...)
	b.clientsPerProcess = 20
	res := b.runOnce(t)
	if faults := res.Faults(); faults != "" {
		t.Error(faults)
	}
	if res.Deliveries < 400 || res.Deliveries > 600 || res.Memory <= 0 || res.P50 <= 0 {
		t.Errorf("%d deliveries, %v bytes per connection, p50 %v; want 400 to 600 deliveries, and positive numbers", res.Deliveries, res.Memory, res.P50)
	}
	if res.Connections < 9 || res.Connections > 24 {
		t.Errorf("three servers have %d connections to Redis, want 9 to 24", res.Connections)
	}
}

func TestResumingClientsReceiveMissedMessages(t *testing.T) {
	res := newBench(t, "resume", "-clients", "40", "-missed", "70").runOnce(t)
	if faults := res.Faults(); faults != "" || res.Deliveries != 40*70 {
		t.Errorf("%d deliveries, want %d; %s", res.Deliveries, 40*70, faults)
	}
	if res.Opening <= 0 || res.Resuming <= 0 || res.Reads == 0 || res.Reads > 20 {
		t.Errorf("opening took %v, resuming %v, with %d reads of Redis; want positive times, and 1 to 20 reads", res.Opening, res.Resuming, res.Reads)
	}
}

func TestJoinMeasuresEveryTransport(t *testing.T) {
	redistest.SkipUnlessLong(t)
	for _, entries := range []string{"20", "700"} {
		t.Run(entries, func(t *testing.T) {
			res := newBench(t, "join", "-entries", entries).runOnce(t)
			if res.Page <= 0 || res.PageHTML <= 0 || res.Joining <= 0 {
				t.Errorf("JSON took %v, page %v, WebSocket %v; want positive times", res.Page, res.PageHTML, res.Joining)
			}
		})
	}
}

func TestStartMeasuresListeningAndReady(t *testing.T) {
	res := newBench(t, "start").runOnce(t)
	if res.Listening <= 0 || res.Ready < res.Listening {
		t.Errorf("listening after %v, ready after %v; want positive times in ascending order", res.Listening, res.Ready)
	}
}

func TestRunsEndWithMediansAndChart(t *testing.T) {
	redistest.SkipUnlessLong(t)
	b := newBench(t, "fanout", "-target", "burble,floor", "-rates", "50,200", "-runs", "2", "-clients", "10",
		"-for", "200ms", "-warm", "50ms", "-settle", "0s", "-chart", filepath.Join(t.TempDir(), "chart.svg"))
	var out strings.Builder
	b.out = &out
	if err := b.runAll(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Log(out.String())
	for text, want := range map[string]int{"  ok": 8 + 4, "| burble | 10 | 1 | 200 |": 1, "medians of 2 runs": 1} {
		if count := strings.Count(out.String(), text); count != want {
			t.Errorf("%q occurs %d times, want %d", text, count, want)
		}
	}
	chart, err := os.ReadFile(b.chart)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(string(chart), "<polyline") != 4 || !isXML(chart) {
		t.Errorf("got %s, want a chart with four lines", chart)
	}
}

func isXML(text []byte) bool {
	decoder := xml.NewDecoder(bytes.NewReader(text))
	for {
		if _, err := decoder.Token(); err != nil {
			return err == io.EOF
		}
	}
}

func TestLadderEndsWhenTargetFails(t *testing.T) {
	redistest.SkipUnlessLong(t)
	b := newBench(t, "ladder", "-target", "xread", "-clients", "60", "-rate", "3000", "-for", "300ms", "-warm", "0s", "-patience", "1s")
	var out strings.Builder
	b.out = &out
	if err := b.runAll(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "xread fails at ") {
		t.Errorf("the output is %s, want the rate at which xread fails", out.String())
	}
}
