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

// filesWanted is more than any run needs.
const filesWanted = 120_000

func run(ctx context.Context, args []string) error {
	files, err := raiseFiles(filesWanted)
	if err != nil {
		return err
	}
	if len(args) > 0 && args[0] == "serve" {
		return serve(ctx, args[1:])
	}
	if len(args) > 0 && args[0] == "share" {
		return serveShare(ctx, args[1:])
	}
	b, err := parseFlags(args)
	if err != nil {
		return err
	}
	b.perProcess = files - spareFiles
	if b.folder, err = os.MkdirTemp("", "bench"); err != nil {
		return err
	}
	defer os.RemoveAll(b.folder)
	if info, err := os.Stderr.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
		b.progress = startProgress(os.Stderr)
		defer b.progress.end()
	}
	return b.runAll(ctx)
}
