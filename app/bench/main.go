//go:build linux

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"burble/app/bench/peers"
	"burble/app/bench/proc"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:])
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// wantedFiles is the number of open files that is enough for any run.
const wantedFiles = 120_000

func run(ctx context.Context, args []string) error {
	files, err := proc.RaiseFileLimit(wantedFiles)
	if err != nil {
		return err
	}
	if len(args) > 0 && args[0] == "serve" {
		return peers.Serve(ctx, args[1:])
	}
	if len(args) > 0 && args[0] == "worker" {
		return runWorker(ctx, args[1:])
	}
	b, err := parseFlags(args)
	if err != nil {
		return err
	}
	b.clientsPerProcess = files - otherFiles
	folder, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	b.launcher.Burble.Folder = folder
	if info, err := os.Stderr.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
		b.progress = startProgress(os.Stderr)
		defer b.progress.stop()
	}
	return b.runAll(ctx)
}
