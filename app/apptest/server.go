//go:build unix

package apptest

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"burble/streams/redistest"
)

// Server runs Burble in its own process. Its methods are safe for concurrent use, with one exception: while
// Start, Kill or Restart runs, only URL, Output, Signal and the methods that send requests may be called.
type Server struct {
	Env          []string // environment of the process; changes take effect at the next start
	MaxOpenFiles int      // as with ulimit -n; 0 for the limit of the test

	t      testing.TB
	output output

	mu      sync.Mutex
	command *exec.Cmd
	exited  chan struct{} // closed after the process ends
	port    string
}

// Start starts a Burble server on the Redis and waits until it is ready. Each env is "NAME=value".
func Start(t testing.TB, redis *redistest.Server, env ...string) *Server {
	t.Helper()
	s := Launch(t, RedisURL(redis), env...)
	s.AwaitReady()
	return s
}

// Launch starts a Burble server without waiting for it to be ready. The server listens on any free port and
// has no rate limits, unless env sets PORT or RATE_*.
func Launch(t testing.TB, redisURL string, env ...string) *Server {
	t.Helper()
	s := &Server{t: t, Env: append([]string{
		"PORT=0", "REDIS_URL=" + redisURL, "LOG_FORMAT=text",
		"RATE_MESSAGES=0", "RATE_ADDRESS=0", "RATE_CONNECTIONS=0",
		"PATH=" + os.Getenv("PATH"), "DATA_DIR=" + t.TempDir(), "GORACE=atexit_sleep_ms=0",
	}, env...)}
	s.Start()
	t.Cleanup(func() {
		s.Kill()
		text := s.Output()
		for _, bad := range []string{"DATA RACE", "panic", "fatal error"} {
			if strings.Contains(text, bad) {
				t.Errorf("Burble's output contains %q", bad)
			}
		}
		if t.Failed() {
			t.Logf("Burble's output:\n%s", text[max(0, len(text)-8<<10):])
		}
	})
	return s
}

// RedisURL returns the REDIS_URL of a test's Redis.
func RedisURL(redis *redistest.Server) string {
	if strings.HasPrefix(redis.Addr, "/") {
		return "unix://" + redis.Addr
	}
	return "redis://" + redis.Addr
}

// Start starts the process, which must not be running.
func (s *Server) Start() {
	s.t.Helper()
	program, err := build()
	if err != nil {
		s.t.Fatal(err)
	}
	command := exec.Command(program)
	if s.MaxOpenFiles > 0 {
		command = exec.Command("sh", "-c", `ulimit -n "$1" && exec "$0"`, program, strconv.Itoa(s.MaxOpenFiles))
	}
	command.Env, command.Dir = s.Env, s.t.TempDir() // a folder without a .env file
	command.Stdout, command.Stderr = &s.output, &s.output
	s.output.startRun()
	if err := command.Start(); err != nil {
		s.t.Fatal(err)
	}
	exited := make(chan struct{})
	go func() { command.Wait(); close(exited) }()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.command, s.exited, s.port = command, exited, ""
}

// AwaitReady waits until the server reports that it is ready. It waits longer than the 30 seconds after
// which the server exits with an error if it cannot use Redis.
func (s *Server) AwaitReady() {
	s.t.Helper()
	Eventually(s.t, time.Minute, "Burble to be ready", func() bool {
		if s.HasExited() {
			s.t.Fatalf("Burble exited with code %d:\n%s", s.ExitCode(), s.Output())
		}
		status, _ := s.Get("/readyz")
		return status == http.StatusOK
	})
}

// URL returns the server's URL, "http://127.0.0.1:port", or "" if the server is not listening yet.
func (s *Server) URL() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.port == "" {
		found := listeningLine.FindStringSubmatch(s.output.run())
		if found == nil {
			return ""
		}
		s.port = found[1]
	}
	return "http://127.0.0.1:" + s.port
}

var listeningLine = regexp.MustCompile(`msg=listening url=\S*:(\d+)`)

// Signal sends the process a signal.
func (s *Server) Signal(signal os.Signal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.command.Process.Signal(signal)
}

// Pause stops the process with SIGSTOP. It returns once all threads have stopped.
func (s *Server) Pause() {
	s.Signal(syscall.SIGSTOP)
	var status syscall.WaitStatus
	if _, err := syscall.Wait4(s.PID(), &status, syscall.WUNTRACED, nil); err != nil {
		s.t.Errorf("wait for the process to stop: %v", err)
	}
}

// Resume continues the process after Pause.
func (s *Server) Resume() { s.Signal(syscall.SIGCONT) }

// Kill ends the process with SIGKILL, as a crash does.
func (s *Server) Kill() {
	s.Signal(syscall.SIGKILL)
	<-s.exited
}

// Restart kills the process, starts it again and waits until it is ready.
func (s *Server) Restart() {
	s.t.Helper()
	s.Kill()
	s.Start()
	s.AwaitReady()
}

// HasExited reports whether the process has ended.
func (s *Server) HasExited() bool {
	select {
	case <-s.exited:
		return true
	default:
		return false
	}
}

// ExitCode returns the exit code of the ended process, or -1 if a signal ended it.
func (s *Server) ExitCode() int { return s.command.ProcessState.ExitCode() }

// PID returns the process ID.
func (s *Server) PID() int { return s.command.Process.Pid }

// ResidentBytes returns the resident memory of the process, or 0 if the system has no /proc.
func (s *Server) ResidentBytes() int {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/statm", s.PID()))
	fields := strings.Fields(string(status))
	if len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.Atoi(fields[1])
	return pages * os.Getpagesize()
}

// Output returns the process's output over all its runs.
func (s *Server) Output() string { return s.output.String() }
