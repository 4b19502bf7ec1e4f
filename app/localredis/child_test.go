//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package localredis

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

func TestChildKeepsItsDataAcrossRestarts(t *testing.T) {
	t.Parallel()
	needProgram(t)
	o := options(t)
	o.DataDir = filepath.Join(o.DataDir, "data")
	began := time.Now()
	first := mustOpen(t, o)
	t.Logf("ready after %v", time.Since(began))
	if err := connect(t, first).XAdd(t.Context(), &redis.XAddArgs{Stream: "room", Values: []string{"text", "hi"}}).Err(); err != nil {
		t.Fatal(err)
	}
	first.Close()
	if _, err := os.Stat(filepath.Dir(first.Addr)); !os.IsNotExist(err) {
		t.Errorf("the socket's directory: got %v, want that it does not exist", err)
	}
	if n := connect(t, mustOpen(t, o)).XLen(t.Context(), "room").Val(); n != 1 {
		t.Errorf("%d entries after a restart, want 1", n)
	}
	if info, err := os.Stat(o.DataDir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("other users can enter the data directory: %v, %v", info.Mode(), err)
	}
}

func TestChildSyncsAsOptionsRequire(t *testing.T) {
	t.Parallel()
	needProgram(t)
	for always, want := range map[bool]string{false: "everysec", true: "always"} {
		o := options(t)
		o.FsyncAlways = always
		got, err := connect(t, mustOpen(t, o)).ConfigGet(t.Context(), "append*").Result()
		if err != nil || got["appendfsync"] != want || got["appendonly"] != "yes" {
			t.Errorf("FsyncAlways %v: settings %v, %v; want appendfsync %s", always, got, err, want)
		}
	}
}

func TestChildIsIsolatedFromCtrlCAndEnvironment(t *testing.T) {
	needProgram(t)
	t.Setenv("SECRET", "0123456789abcdef")
	pid := childPID(t, mustOpen(t, options(t)))
	group, err := syscall.Getpgid(pid)
	if err != nil || group == syscall.Getpgrp() {
		t.Errorf("the child is in the process group of the test: %v", err)
	}
	environ, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	if err == nil && strings.Contains(string(environ), "0123456789abcdef") {
		t.Error("the child's environment contains SECRET")
	}
}

func TestDeadChildIsRestarted(t *testing.T) {
	t.Parallel()
	needProgram(t)
	o := options(t)
	o.FsyncAlways = true
	server := mustOpen(t, o)
	client := connect(t, server)
	if err := client.Set(t.Context(), "k", "v", 0).Err(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		pid := childPID(t, server)
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		waitUntil(t, "a new process with the same data", func() bool {
			return client.Get(t.Context(), "k").Val() == "v" && childPID(t, server) != pid
		})
	}
}

func TestDataDirIsLocked(t *testing.T) {
	t.Parallel()
	needProgram(t)
	o := options(t)
	first := mustOpen(t, o)
	_, err := lockDataDir(t.Context(), o.DataDir, 50*time.Millisecond, o.Log)
	if !errors.Is(err, errDataDirInUse) || !strings.Contains(err.Error(), o.DataDir) {
		t.Errorf("locking a second time: got %v, want an error that names the data directory", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := Open(ctx, o); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("opening a locked directory: got %v, want DeadlineExceeded", err)
	}
	// The next Open waits until the first server is closed.
	o.Log = slog.New(onLog{o.Log.Handler(), "waiting for another process to release the data directory", sync.OnceFunc(func() { go first.Close() })})
	mustOpen(t, o)
}

// onLog is a slog.Handler that calls do when the given message is logged.
type onLog struct {
	slog.Handler
	message string
	do      func()
}

func (h onLog) Handle(ctx context.Context, record slog.Record) error {
	if record.Message == h.message {
		h.do()
	}
	return h.Handler.Handle(ctx, record)
}

func TestStartErrorQuotesOutputOfChild(t *testing.T) {
	bin := t.TempDir()
	script := "#!/bin/sh\nfor i in 1 2 3 4 5 6 7 8 9; do echo line $i; done\necho 'Bad file format reading the append only file' >&2\nexit 3\n"
	if err := os.WriteFile(filepath.Join(bin, "valkey-server"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin)
	o := options(t)
	for range 2 { // the second run checks that the first one released the lock
		_, err := Open(t.Context(), o)
		if err == nil || !strings.Contains(err.Error(), "Bad file format") || !strings.Contains(err.Error(), "valkey-server") || strings.Contains(err.Error(), "line 1\n") {
			t.Errorf("error %v, want the program and the end of its output", err)
		}
	}
	t.Setenv("PATH", t.TempDir()+":"+bin)
	o.DataDir = filepath.Join(bin, "valkey-server")
	if _, err := Open(t.Context(), o); err == nil || !strings.Contains(err.Error(), "data directory") {
		t.Errorf("a data directory that is a file: got %v, want an error that mentions it", err)
	}
}

func TestChildExitsWhenParentIsKilled(t *testing.T) {
	t.Parallel()
	needProgram(t)
	if runtime.GOOS != "linux" {
		t.Skip("only Linux ends the child with its parent")
	}
	o := options(t)
	temp := t.TempDir()
	parent := exec.Command(os.Args[0], "-test.run=^TestHelperProcessWithChild$")
	parent.Env = append(os.Environ(), "BURBLE_TEST_DATA_DIR="+o.DataDir, "TMPDIR="+temp) // the killed process does not remove its socket
	stdout, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	var pid int
	if _, err := fmt.Fscanf(stdout, "redis %d\n", &pid); err != nil {
		parent.Process.Kill()
		t.Fatal(err)
	}
	parent.Process.Kill()
	parent.Wait()
	// The next Open waits for the lock, which the child holds until it exits.
	client := connect(t, mustOpen(t, o))
	if got := client.Get(t.Context(), "k").Val(); got != "v" {
		t.Errorf("the value is %q, want v, as before the parent was killed", got)
	}
	waitUntil(t, "the child to exit", func() bool { return syscall.Kill(pid, 0) == syscall.ESRCH })
}

// TestHelperProcessWithChild runs in the process that TestChildExitsWhenParentIsKilled kills. It does
// nothing in other runs.
func TestHelperProcessWithChild(t *testing.T) {
	o := options(t)
	if o.DataDir = os.Getenv("BURBLE_TEST_DATA_DIR"); o.DataDir == "" {
		return
	}
	server := mustOpen(t, o)
	if err := connect(t, server).Set(t.Context(), "k", "v", 0).Err(); err != nil {
		t.Fatal(err)
	}
	fmt.Printf("redis %d\n", childPID(t, server))
	select {}
}
