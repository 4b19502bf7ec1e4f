//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"burble/streams"

	"github.com/redis/go-redis/v9"
)

func TestChildRedisKeepsItsData(t *testing.T) {
	needRedisServer(t)
	cfg := Config{DataDir: filepath.Join(t.TempDir(), "data")}
	began := time.Now()
	first := mustOpenRedis(t, cfg)
	t.Logf("ready after %v", time.Since(began))
	if err := clientOf(t, first).XAdd(t.Context(), &redis.XAddArgs{Stream: "room", Values: []string{"text", "hi"}}).Err(); err != nil {
		t.Fatal(err)
	}
	first.Close()
	if _, err := os.Stat(filepath.Dir(first.Options.Addrs[0])); !os.IsNotExist(err) {
		t.Errorf("the socket's directory is left behind: %v", err)
	}
	if n := clientOf(t, mustOpenRedis(t, cfg)).XLen(t.Context(), "room").Val(); n != 1 {
		t.Errorf("%d entries after a restart, want 1", n)
	}
	if info, err := os.Stat(cfg.DataDir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("others may enter the data directory: %v, %v", info.Mode(), err)
	}
}

func TestChildRedisFsyncsAsDurabilitySays(t *testing.T) {
	needRedisServer(t)
	for durability, want := range map[streams.Durability]string{streams.Memory: "everysec", streams.Disk: "always"} {
		client := clientOf(t, mustOpenRedis(t, Config{DataDir: t.TempDir(), Durability: durability}))
		got, err := client.ConfigGet(t.Context(), "append*").Result()
		if err != nil || got["appendfsync"] != want || got["appendonly"] != "yes" {
			t.Errorf("%s: %v, %v", durability, got, err)
		}
	}
}

func TestChildRedisIsNotTouchedByCtrlCAndKnowsNoSecret(t *testing.T) {
	needRedisServer(t)
	t.Setenv("SECRET", "0123456789abcdef")
	pid := childPid(t, mustOpenRedis(t, Config{DataDir: t.TempDir()}))
	group, err := syscall.Getpgid(pid)
	if err != nil || group == syscall.Getpgrp() {
		t.Errorf("the child is in our process group: %v", err)
	}
	environ, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	if err == nil && strings.Contains(string(environ), "0123456789abcdef") {
		t.Error("the child knows the secret")
	}
}

func TestChildRedisThatDiesIsStartedAgain(t *testing.T) {
	needRedisServer(t)
	source := mustOpenRedis(t, Config{DataDir: t.TempDir(), Durability: streams.Disk})
	client := clientOf(t, source)
	if err := client.Set(t.Context(), "k", "v", 0).Err(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		pid := childPid(t, source)
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		waitUntil(t, func() bool { return client.Get(t.Context(), "k").Val() == "v" && childPid(t, source) != pid })
	}
}

func TestChildRedisDataDirIsUsedOnce(t *testing.T) {
	needRedisServer(t)
	cfg := Config{DataDir: t.TempDir()}
	first := mustOpenRedis(t, cfg)
	_, err := lockDataDir(t.Context(), cfg.DataDir, 50*time.Millisecond, testLog(t))
	if !errors.Is(err, errDataDirInUse) || !strings.Contains(err.Error(), cfg.DataDir) {
		t.Errorf("got %v", err)
	}
	impatient, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := openRedis(impatient, cfg, testLog(t)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	// A successor waits for its predecessor to end.
	time.AfterFunc(100*time.Millisecond, first.Close)
	mustOpenRedis(t, cfg)
}

func TestChildRedisThatCannotStartIsQuoted(t *testing.T) {
	bin := t.TempDir()
	script := "#!/bin/sh\nfor i in 1 2 3 4 5 6 7 8 9; do echo line $i; done\necho 'Bad file format reading the append only file' >&2\nexit 3\n"
	if err := os.WriteFile(filepath.Join(bin, "valkey-server"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin)
	cfg := Config{DataDir: t.TempDir()}
	for range 2 { // the second time shows that the lock is given back
		_, err := openRedis(t.Context(), cfg, testLog(t))
		if err == nil || !strings.Contains(err.Error(), "Bad file format") || !strings.Contains(err.Error(), "valkey-server") || strings.Contains(err.Error(), "line 1\n") {
			t.Errorf("got %v", err)
		}
	}
	t.Setenv("PATH", t.TempDir()+":"+bin)
	_, err := openRedis(t.Context(), Config{DataDir: filepath.Join(bin, "valkey-server")}, testLog(t))
	if err == nil || !strings.Contains(err.Error(), "DATA_DIR") {
		t.Errorf("a data directory that is a file: %v", err)
	}
}

func TestChildRedisEndsWhenWeAreKilled(t *testing.T) {
	needRedisServer(t)
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells the child")
	}
	cfg := Config{DataDir: t.TempDir()}
	burble := exec.Command(os.Args[0], "-test.run=^TestHelperProcessWithChildRedis$")
	burble.Env = append(os.Environ(), "BURBLE_TEST_DATA_DIR="+cfg.DataDir, "TMPDIR="+t.TempDir()) // what it leaves behind
	stdout, err := burble.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := burble.Start(); err != nil {
		t.Fatal(err)
	}
	var pid int
	if _, err := fmt.Fscanf(stdout, "redis %d\n", &pid); err != nil {
		burble.Process.Kill()
		t.Fatal(err)
	}
	burble.Process.Kill()
	burble.Wait()
	// The successor need not know: it waits for the lock, which the child still holds.
	client := clientOf(t, mustOpenRedis(t, cfg))
	if got := client.Get(t.Context(), "k").Val(); got != "v" {
		t.Errorf("got %q", got)
	}
	waitUntil(t, func() bool { return syscall.Kill(pid, 0) == syscall.ESRCH })
}

// TestHelperProcessWithChildRedis is the Burble that TestChildRedisEndsWhenWeAreKilled
// kills. Alone it does nothing.
func TestHelperProcessWithChildRedis(t *testing.T) {
	dataDir := os.Getenv("BURBLE_TEST_DATA_DIR")
	if dataDir == "" {
		return
	}
	source := mustOpenRedis(t, Config{DataDir: dataDir})
	if err := clientOf(t, source).Set(t.Context(), "k", "v", 0).Err(); err != nil {
		t.Fatal(err)
	}
	fmt.Printf("redis %d\n", childPid(t, source))
	select {}
}

// childPid asks Redis for its process ID.
func childPid(t *testing.T, source *redisSource) int {
	t.Helper()
	info, err := clientOf(t, source).InfoMap(t.Context(), "server").Result()
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(info["Server"]["process_id"])
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

// waitUntil polls for what another process does.
func waitUntil(t *testing.T, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it did not happen within 10 s")
		}
	}
}
