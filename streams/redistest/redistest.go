// Package redistest gives tests a Redis of their own: a real server on a Unix
// socket in a temporary folder, and miniredis.
//
// Without redis-server or valkey-server on PATH the real half of a test is
// skipped and says so; where CI is set, it fails.
package redistest

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"burble/streams"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
)

// Server is a real Redis that belongs to one test.
type Server struct {
	Addr string // a Unix socket, or 127.0.0.1:port

	t       testing.TB
	program string
	args    []string
	process *exec.Cmd
}

// Start starts a Redis on a Unix socket, with more arguments as redis-server
// takes them. It ends with the test.
func Start(t testing.TB, args ...string) *Server {
	t.Helper()
	folder := tempDir(t)
	socket := filepath.Join(folder, "redis.sock")
	return start(t, folder, socket, append([]string{"--port", "0", "--unixsocket", socket}, args...))
}

// StartTCP starts a Redis on a free port of the loopback interface.
func StartTCP(t testing.TB, args ...string) *Server {
	t.Helper()
	port := strconv.Itoa(FreePort(t))
	return start(t, tempDir(t), "127.0.0.1:"+port, append([]string{"--port", port, "--bind", "127.0.0.1"}, args...))
}

func start(t testing.TB, folder, addr string, args []string) *Server {
	t.Helper()
	server := &Server{Addr: addr, t: t, program: find(t)}
	server.args = append([]string{"--dir", folder, "--save", "", "--daemonize", "no"}, args...)
	server.Restart()
	t.Cleanup(server.Kill)
	return server
}

func find(t testing.TB) string {
	t.Helper()
	for _, name := range []string{"redis-server", "valkey-server"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("CI") != "" {
		t.Fatal("no redis-server on PATH, and CI must not skip")
	}
	t.Skip("skipped: needs a redis-server or valkey-server on PATH")
	return ""
}

// tempDir is short: the path of a Unix socket has at most 107 bytes.
func tempDir(t testing.TB) string {
	t.Helper()
	folder, err := os.MkdirTemp("", "redistest")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	return folder
}

// FreePort is a port of the loopback interface that nobody listened on just now.
func FreePort(t testing.TB) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}

// Kill ends the server with SIGKILL, as a crash does.
func (s *Server) Kill() {
	if s.process == nil {
		return
	}
	s.process.Process.Kill()
	s.process.Wait()
	s.process = nil
}

// Restart starts the server again, with what its append-only file holds, if it has one.
func (s *Server) Restart() {
	s.t.Helper()
	s.process = exec.Command(s.program, s.args...)
	if err := s.process.Start(); err != nil {
		s.t.Fatal(err)
	}
	client := s.Client()
	defer client.Close()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		err := client.Ping(context.Background()).Err()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("redis does not answer: %v", err)
		}
	}
}

// PID is the process ID, for a test that stops it for a while.
func (s *Server) PID() int { return s.process.Process.Pid }

// Client is a plain client of the server. The caller closes it.
func (s *Server) Client() *redis.Client {
	return redis.NewClient(&redis.Options{Addr: s.Addr, MaxRetries: -1, DisableIdentity: true})
}

// Redis is where a Store finds the server.
func (s *Server) Redis() *redis.UniversalOptions {
	return &redis.UniversalOptions{Addrs: []string{s.Addr}}
}

// Backend is a Redis of either sort, as Run hands it out.
type Backend struct {
	Real   bool
	Redis  *redis.UniversalOptions
	Client *redis.Client // for a test to look at the keys
}

// Run runs the body on miniredis and on a real Redis, as subtests.
func Run(t *testing.T, body func(t *testing.T, backend Backend)) {
	t.Run("miniredis", func(t *testing.T) {
		server := miniredis.RunT(t)
		backend(t, false, &redis.UniversalOptions{Addrs: []string{server.Addr()}}, body)
	})
	t.Run("redis", func(t *testing.T) {
		backend(t, true, Start(t).Redis(), body)
	})
}

func backend(t *testing.T, real bool, options *redis.UniversalOptions, body func(*testing.T, Backend)) {
	client := redis.NewClient(&redis.Options{Addr: options.Addrs[0], DisableIdentity: true})
	defer client.Close()
	body(t, Backend{Real: real, Redis: options, Client: client})
}

// Open opens a Store on the Redis and runs it until the test ends.
func Open(t testing.TB, options streams.Options) *streams.Store {
	t.Helper()
	store, err := streams.Open(context.Background(), options)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- store.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("run: %v", err)
		}
		if err := store.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return store
}
