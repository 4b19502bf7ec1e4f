//go:build unix

package chaos

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"burble/app/apptest"
	"burble/app/chaos/bots"
	"burble/streams/redistest"
)

// build builds the program, with the race detector if the tests use it. args are additional
// arguments for the go command.
func build(t testing.TB, args ...string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "burble")
	if err := apptest.Build(program, args...); err != nil {
		t.Fatal(err)
	}
	return program
}

// slot is one server of the run. Its address stays the same while faults replace its process.
type slot struct {
	index    int
	proxy    *redistest.Proxy // between clients and the process
	process  *process
	baseline resources // the server's resources before the run
}

// process is a server process.
type process struct {
	*exec.Cmd
	addr  string
	log   string
	ended chan struct{}
}

// start starts a server process without waiting until it is ready.
func (h *harness) start(slot int) *process {
	log, err := os.CreateTemp(h.logs, fmt.Sprintf("burble-%d-*.log", slot))
	if err != nil {
		h.t.Error(err)
		return nil
	}
	defer log.Close()
	program := h.program
	if h.options.previous != "" && h.started.Add(1)%2 == 0 {
		program = h.options.previous
	}
	p := &process{Cmd: exec.Command(program), log: log.Name(), ended: make(chan struct{})}
	p.Dir, p.Stdout, p.Stderr = h.logs, log, log
	p.Env = append([]string{
		"PORT=0", "REDIS_URL=" + h.backend.url(slot), "DURABILITY=" + h.options.durability, "LOG_FORMAT=text",
		"RATE_MESSAGES=0", "RATE_ADDRESS=0", "RATE_CONNECTIONS=0", "SECRET=" + secret,
		"PATH=" + os.Getenv("PATH"), "GORACE=atexit_sleep_ms=0",
	}, h.options.env...)
	if err := p.Start(); err != nil {
		h.t.Error(err)
		return nil
	}
	go func() { p.Wait(); close(p.ended) }()
	return p
}

var listeningLine = regexp.MustCompile(`msg=listening url=\S*:(\d+)`)

// awaitReady waits until the server is ready. It returns false if the server exits or ctx ends first.
func (p *process) awaitReady(ctx context.Context) bool {
	for ctx.Err() == nil {
		text, _ := os.ReadFile(p.log)
		if found := listeningLine.FindSubmatch(text); found != nil {
			p.addr = "127.0.0.1:" + string(found[1])
			response, err := bots.ServerAt(p.addr, "").Do(ctx, http.MethodGet, "/readyz", "")
			if err == nil && response.Status == http.StatusOK {
				return true
			}
		}
		select {
		case <-p.ended:
			return false
		case <-time.After(20 * time.Millisecond):
		}
	}
	return false
}

// kill ends the process with SIGKILL, like a crash.
func (p *process) kill() {
	p.Process.Kill()
	<-p.ended
}

// drain ends the process with SIGTERM, as a hosting platform does, and reports whether it exited
// with code 0 within 30 s.
func (p *process) drain() bool {
	p.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
		return p.ProcessState.ExitCode() == 0
	case <-time.After(30 * time.Second):
		p.kill()
		return false
	}
}

// launch starts a server and puts it into the slot when it is ready. It retries if the server exits
// first, because Redis may be down for longer than a server waits for it at startup.
func (h *harness) launch(ctx context.Context, s *slot) {
	for ctx.Err() == nil {
		next := h.start(s.index)
		if next == nil {
			return
		}
		if next.awaitReady(ctx) {
			s.process = next
			s.proxy.RouteNew(next.addr)
			return
		}
		next.kill()
	}
}

// crashes returns the parts of the servers' output that report crashes.
func (h *harness) crashes() (found []string) {
	logs, _ := filepath.Glob(filepath.Join(h.logs, "*.log"))
	for _, path := range logs {
		text, _ := os.ReadFile(path)
		for _, sign := range []string{"DATA RACE", "panic", "fatal error"} {
			if i := strings.Index(string(text), sign); i >= 0 {
				found = append(found, string(text[i:min(len(text), i+3000)]))
				break
			}
		}
	}
	return found
}
