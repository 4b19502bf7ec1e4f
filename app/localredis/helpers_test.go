package localredis

// Helpers of this package's tests:
//
//	needProgram  skips the test if there is no redis-server or valkey-server
//	options      returns Options with a new data directory and the test's log
//	mustOpen     opens a server and closes it when the test ends
//	connect      returns a Redis client for a server
//	childPID     returns the process ID of a server
//	waitUntil    polls until another process meets a condition

import (
	"log/slog"
	"os"
	"strconv"
	"testing"
	"time"

	"burble/streams/conns"
	"burble/streams/redistest"
)

// needProgram fails instead of skipping in CI, where nobody would notice a skipped test.
func needProgram(t *testing.T) {
	t.Helper()
	if findProgram() != "" {
		return
	}
	if os.Getenv("CI") != "" {
		t.Fatal("no redis-server or valkey-server on PATH")
	}
	t.Skip("no redis-server or valkey-server on PATH")
}

func options(t *testing.T) Options {
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
	return Options{DataDir: t.TempDir(), Log: log}
}

func mustOpen(t *testing.T, o Options) *Server {
	t.Helper()
	server, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	return server
}

func connect(t *testing.T, server *Server) redistest.Client {
	t.Helper()
	return redistest.Connect(t, &conns.Address{Addrs: []string{server.Addr}, Password: server.Password})
}

func childPID(t *testing.T, server *Server) int {
	t.Helper()
	info, err := connect(t, server).InfoMap(t.Context(), "server").Result()
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(info["Server"]["process_id"])
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

func waitUntil(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited 10 s for %s", what)
		}
	}
}
