//go:build linux

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// bench is what the flags ask for.
type bench struct {
	mode     string
	work     work
	targets  []target
	runs     int
	json     bool
	patience time.Duration // how long nothing may arrive before what has not arrived is missing

	burble     string // an executable; empty: it is built
	profile    string // folder; empty: none
	centrifugo struct {
		port            int
		pids, redisPids []int
	}

	folder   string // for what lasts as long as the bench
	out      io.Writer
	progress *progress
}

// modes are how one run of each goes.
var modes = map[string]func(*bench, context.Context, target, work, int) (*result, error){
	"fanout": (*bench).deliver,
	"rooms":  (*bench).deliver,
	"quiet":  (*bench).deliver,
	"idle":   (*bench).deliver,
}

// runAll does the runs, the targets in turn so that what changes on the machine
// meanwhile meets all of them, and prints a line for each and the medians.
func (b *bench) runAll(ctx context.Context) error {
	results := map[string][]*result{}
	if !b.json {
		fmt.Fprintln(b.out, tableHead())
	}
	for run := range b.runs {
		for _, t := range b.targets {
			b.progress.begin(fmt.Sprintf("%s %s, run %d of %d", b.mode, t.name, run+1, b.runs))
			got, err := modes[b.mode](b, ctx, t, b.work, run)
			if err != nil {
				return fmt.Errorf("%s %s: %w", b.mode, t.name, err)
			}
			b.print(got)
			results[t.name] = append(results[t.name], got)
		}
	}
	return nil
}

func (b *bench) print(got *result) {
	if b.json {
		json.NewEncoder(b.out).Encode(got)
		return
	}
	fmt.Fprintln(b.out, got.line())
}

// profiling takes a CPU profile of the server while the work goes on. What it
// returns waits for it, and takes one of the memory.
func (b *bench) profiling(ctx context.Context, s *server, w work) (finish func() error) {
	if b.profile == "" || s.protocol.message == nil {
		return func() error { return nil }
	}
	name := fmt.Sprintf("%s-%dx%d-", b.mode, w.Clients, w.Rate)
	taken := make(chan error, 1)
	go func() {
		taken <- b.saveProfile(ctx, fmt.Sprintf("profile?seconds=%d", int(w.Lasts.Seconds())), name+"cpu")
	}()
	return func() error {
		err := <-taken
		if err == nil {
			err = b.saveProfile(ctx, "heap?gc=1", name+"heap")
		}
		if err == nil {
			err = b.saveProfile(ctx, "goroutine?debug=1", name+"goroutine")
		}
		return err
	}
}
