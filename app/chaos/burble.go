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
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"burble/streams/redistest"
)

// build builds the program, as it is released unless there are more arguments.
func build(t testing.TB, args ...string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "burble")
	args = append([]string{"build", "-o", program}, args...)
	if out, err := exec.Command("go", append(args, "burble/app")...).CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return program
}

func raced() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}

// slot is where one of the servers runs: the address that clients know, and the
// process behind it, which changes.
type slot struct {
	index  int
	edge   *redistest.Proxy // between clients and the server
	burble *burble
	first  resources // of an idle server
}

// burble is one process of the program.
type burble struct {
	*exec.Cmd
	addr  string
	log   string
	ended chan struct{}
}

// start starts a server and waits until it can serve.
func (w *world) start(slot int) *burble {
	log, err := os.CreateTemp(w.logs, fmt.Sprintf("burble-%d-*.log", slot))
	if err != nil {
		w.t.Error(err)
		return nil
	}
	defer log.Close()
	b := &burble{Cmd: exec.Command(w.program), log: log.Name(), ended: make(chan struct{})}
	b.Dir, b.Stdout, b.Stderr = w.logs, log, log
	b.Env = append([]string{
		"PORT=0", "REDIS_URL=" + w.backend.url(slot), "DURABILITY=" + w.options.durability, "LOG_FORMAT=text",
		"RATE_MESSAGES=0", "RATE_ADDRESS=0", "RATE_CONNECTIONS=0", "SECRET=that all servers share",
		"PATH=" + os.Getenv("PATH"), "GORACE=atexit_sleep_ms=0",
	}, w.options.env...)
	if err := b.Start(); err != nil {
		w.t.Error(err)
		return nil
	}
	go func() { b.Wait(); close(b.ended) }()
	return b
}

var listening = regexp.MustCompile(`msg=listening url=\S*:(\d+)`)

// ready waits until the server can serve, and says whether it came to that.
func (b *burble) ready(ctx context.Context) bool {
	for ctx.Err() == nil {
		text, _ := os.ReadFile(b.log)
		if found := listening.FindSubmatch(text); found != nil {
			b.addr = "127.0.0.1:" + string(found[1])
			if status, _ := request(ctx, http.MethodGet, "http://"+b.addr+"/readyz", "", ""); status == http.StatusOK {
				return true
			}
		}
		select {
		case <-b.ended:
			return false
		case <-time.After(20 * time.Millisecond):
		}
	}
	return false
}

// kill ends the process as a crash does.
func (b *burble) kill() {
	b.Process.Kill()
	<-b.ended
}

// drain ends it as a platform does, and says whether it ended in good order.
func (b *burble) drain() bool {
	b.Process.Signal(syscall.SIGTERM)
	select {
	case <-b.ended:
		return b.ProcessState.ExitCode() == 0
	case <-time.After(30 * time.Second):
		b.kill()
		return false
	}
}

// launch starts a server that becomes the slot's when it is ready. It goes on trying,
// since Redis may be away for longer than a server waits.
func (w *world) launch(ctx context.Context, s *slot) {
	for ctx.Err() == nil {
		next := w.start(s.index)
		if next == nil {
			return
		}
		if next.ready(ctx) {
			s.burble = next
			s.edge.Lead(next.addr)
			return
		}
		next.kill()
	}
}

// crashed are the signs of a crash in what the servers wrote.
func (w *world) crashed() (found []string) {
	logs, _ := filepath.Glob(filepath.Join(w.logs, "*.log"))
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
