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

// wantedFiles is more open files than any run needs.
const wantedFiles = 120_000

func run(ctx context.Context, args []string) error {
	files, err := raiseFileLimit(wantedFiles)
	if err != nil {
		return err
	}
	if len(args) > 0 && args[0] == "serve" {
		return servePeer(ctx, args[1:])
	}
	if len(args) > 0 && args[0] == "worker" {
		return runWorker(ctx, args[1:])
	}
	b, err := parseFlags(args)
	if err != nil {
		return err
	}
	b.clientsPerProcess = files - otherFiles
	if b.folder, err = os.MkdirTemp("", "bench"); err != nil {
		return err
	}
	defer os.RemoveAll(b.folder)
	if info, err := os.Stderr.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
		b.progress = startProgress(os.Stderr)
		defer b.progress.stop()
	}
	return b.runAll(ctx)
}

// raiseFileLimit raises the limit of open files of this process and its children towards
// want, as far as the system allows, and returns the new limit.
func raiseFileLimit(want int) (int, error) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0, fmt.Errorf("read the limit of open files: %w", err)
	}
	raised := syscall.Rlimit{Cur: uint64(want), Max: max(uint64(want), limit.Max)}
	if syscall.Setrlimit(syscall.RLIMIT_NOFILE, &raised) != nil {
		raised = syscall.Rlimit{Cur: limit.Max, Max: limit.Max}
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &raised); err != nil {
			return 0, fmt.Errorf("raise the limit of open files: %w", err)
		}
	}
	return int(raised.Cur), nil
}
