package redistest

import (
	"context"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"burble/streams/conns"
)

// Server is a real Redis that belongs to one test.
type Server struct {
	Addr string // a Unix socket, or 127.0.0.1:port

	t       testing.TB
	program string
	folder  string
	args    []string
	process *exec.Cmd
}

// Start starts a Redis on a Unix socket, with additional arguments for redis-server. The server stops at
// the end of the test.
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
	server := &Server{Addr: addr, t: t, program: findServer(t), folder: folder}
	server.args = append([]string{"--dir", folder, "--save", "", "--daemonize", "no"}, args...)
	server.Restart()
	t.Cleanup(server.Kill)
	return server
}

func findServer(t testing.TB) string {
	t.Helper()
	for _, name := range []string{"redis-server", "valkey-server"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("CI") != "" {
		t.Fatal("no redis-server or valkey-server in PATH; CI may not skip this test")
	}
	t.Skip("no redis-server or valkey-server in PATH")
	return ""
}

// tempDir creates a folder with a short path, because the path of a Unix socket must not be longer than
// 107 bytes.
func tempDir(t testing.TB) string {
	t.Helper()
	folder, err := os.MkdirTemp("", "redistest")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	return folder
}

// portRange is the number of ports that a test process reserves. It is large enough for each port to be
// used only once, because a stopped server may restart on its port.
const portRange = 1000

// reservePorts reserves a range of ports for this process. It listens on the first one until the process
// ends, so that other test processes use other ranges. The ranges are below the ephemeral ports, which the
// system may assign to any connection.
var reservePorts = sync.OnceValue(func() net.Listener {
	for {
		address := net.JoinHostPort("127.0.0.1", strconv.Itoa(12_000+rand.IntN(20)*portRange))
		if listener, err := net.Listen("tcp", address); err == nil {
			return listener
		}
	}
})

var portsAssigned atomic.Uint32

// FreePort returns an unused port on the loopback interface that no other test gets.
func FreePort(t testing.TB) int {
	t.Helper()
	for range portRange {
		port := reservePorts().Addr().(*net.TCPAddr).Port + 1 + int(portsAssigned.Add(1)%(portRange-1))
		listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			listener.Close()
			return port
		}
	}
	t.Fatal("no free port")
	return 0
}

// Kill stops the server with SIGKILL, like a crash, even if it is paused.
func (s *Server) Kill() {
	if s.process == nil {
		return
	}
	s.process.Process.Kill()
	s.process.Wait()
	s.process = nil
}

// Restart starts the server again, with the data from its append-only file if it has one.
func (s *Server) Restart() {
	s.t.Helper()
	s.launch()
	s.awaitReply()
}

func (s *Server) launch() {
	s.t.Helper()
	s.process = exec.Command(s.program, s.args...)
	if err := s.process.Start(); err != nil {
		s.t.Fatal(err)
	}
}

func (s *Server) awaitReply() {
	s.t.Helper()
	client := s.Client()
	defer client.Close()
	await(s.t, "Redis to reply", func(ctx context.Context) bool { return client.Ping(ctx).Err() == nil })
}

// queryTimeout is the timeout of one query to a server.
const queryTimeout = 2 * time.Second

// await polls until the condition is met.
func await(t testing.TB, what string, met func(ctx context.Context) bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		ctx, cancel := context.WithTimeout(context.Background(), queryTimeout)
		done := met(ctx)
		cancel()
		if done {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("timed out waiting for %s", what)
		}
	}
}

// PID returns the process ID.
func (s *Server) PID() int { return s.process.Process.Pid }

// A Client sends commands of a test.
type Client = conns.Client

// Connect returns a Client for the Redis at the address. It is closed at the end of the test.
func Connect(t testing.TB, address *conns.Address) Client {
	client := conns.Connect(address)
	t.Cleanup(func() { client.Close() })
	return client
}

// Client returns a Redis client for the server. The caller must close it.
func (s *Server) Client() Client { return conns.Connect(s.Redis()) }

// Redis returns the address of the server.
func (s *Server) Redis() *conns.Address {
	return &conns.Address{Addrs: []string{s.Addr}}
}
