//go:build unix

package main_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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

	"github.com/redis/go-redis/v9"
)

// The process tests treat Burble as its users do: they start it, speak the
// protocol to it from outside, and kill it. They are in a package of their own so
// that they cannot share the server's code by accident.

// process is a Burble in a process of its own. It may be killed and started again.
type process struct {
	t   testing.TB
	env []string

	mu      sync.Mutex
	command *exec.Cmd
	ended   chan struct{} // closed when the process has ended
	output  *output
	port    string
}

// burble starts a Burble on the Redis and waits until it is ready. It ends with the
// test, whose log then has what it wrote, should the test have failed.
func burble(t testing.TB, server *redistest.Server, env ...string) *process {
	t.Helper()
	p := launch(t, redisURL(server), env...)
	p.awaitReady()
	return p
}

// launch starts a Burble and does not wait. Its limits are off unless env has them.
func launch(t testing.TB, redisURL string, env ...string) *process {
	t.Helper()
	p := &process{t: t, env: append([]string{
		"BURBLE_TEST_SERVES=yes", "PORT=0", "REDIS_URL=" + redisURL, "LOG_FORMAT=text",
		"RATE_MESSAGES=0", "RATE_ADDRESS=0", "RATE_CONNECTIONS=0",
		"PATH=" + os.Getenv("PATH"), "DATA_DIR=" + t.TempDir(), "GORACE=atexit_sleep_ms=0",
	}, env...)}
	p.start()
	t.Cleanup(func() {
		p.kill()
		text := p.output.String()
		for _, bad := range []string{"DATA RACE", "panic", "fatal error"} {
			if strings.Contains(text, bad) {
				t.Errorf("a Burble wrote %q", bad)
			}
		}
		if t.Failed() {
			t.Logf("a Burble wrote:\n%s", text[max(0, len(text)-8<<10):])
		}
	})
	return p
}

func redisURL(server *redistest.Server) string {
	if strings.HasPrefix(server.Addr, "/") {
		return "unix://" + server.Addr
	}
	return "redis://" + server.Addr
}

// start runs the program anew, on any free port.
func (p *process) start() {
	p.t.Helper()
	program, err := os.Executable()
	if err != nil {
		p.t.Fatal(err)
	}
	if p.output == nil {
		p.output = new(output)
	}
	command := exec.Command(program)
	command.Env, command.Dir = p.env, p.t.TempDir() // where there is no .env
	command.Stdout, command.Stderr = p.output, p.output
	p.output.begin()
	if err := command.Start(); err != nil {
		p.t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { command.Wait(); close(ended) }()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.command, p.ended, p.port = command, ended, ""
}

// awaitReady waits until the process says that it can serve.
func (p *process) awaitReady() {
	p.t.Helper()
	eventually(p.t, 30*time.Second, "a Burble to be ready", func() bool {
		if p.hasEnded() {
			p.t.Fatalf("Burble ended with %d:\n%s", p.exitCode(), p.output)
		}
		status, _ := p.get("/readyz")
		return status == http.StatusOK
	})
}

// url is where the process serves, or "" if it does not yet.
func (p *process) url() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.port == "" {
		found := listening.FindStringSubmatch(p.output.latest())
		if found == nil {
			return ""
		}
		p.port = found[1]
	}
	return "http://127.0.0.1:" + p.port
}

var listening = regexp.MustCompile(`msg=listening url=\S*:(\d+)`)

func (p *process) signal(signal os.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.command.Process.Signal(signal)
}

// stop stops the process where it is, and returns when all of it stands.
func (p *process) stop() {
	p.signal(syscall.SIGSTOP)
	var stopped syscall.WaitStatus
	if _, err := syscall.Wait4(p.command.Process.Pid, &stopped, syscall.WUNTRACED, nil); err != nil {
		p.t.Errorf("wait for the stop: %v", err)
	}
}

// kill ends the process as a crash does.
func (p *process) kill() {
	p.signal(syscall.SIGKILL)
	<-p.ended
}

// restart kills the process and starts it again.
func (p *process) restart() {
	p.t.Helper()
	p.kill()
	p.start()
	p.awaitReady()
}

func (p *process) hasEnded() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// exitCode is what the ended process returned.
func (p *process) exitCode() int { return p.command.ProcessState.ExitCode() }

// memory is the resident size of the process in bytes, 0 where the system does not tell.
func (p *process) memory() int {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/statm", p.command.Process.Pid))
	fields := strings.Fields(string(status))
	if len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.Atoi(fields[1])
	return pages * os.Getpagesize()
}

// web does not reuse connections: some of the processes are killed.
var web = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 30 * time.Second}

// get asks for a path, and returns status 0 if nobody answers.
func (p *process) get(path string, headers ...string) (status int, body string) {
	return p.ask(http.MethodGet, path, "", headers...)
}

// ask makes a request with headers in pairs of name and value.
func (p *process) ask(method, path, body string, headers ...string) (int, string) {
	if p.url() == "" {
		return 0, ""
	}
	request, err := http.NewRequest(method, p.url()+path, strings.NewReader(body))
	if err != nil {
		p.t.Error(err)
		return 0, ""
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	answer, err := web.Do(request)
	if err != nil {
		return 0, err.Error()
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, err.Error()
	}
	return answer.StatusCode, string(text)
}

// post sends a message over HTTP under a key.
func (p *process) post(token, room, key, text string) (int, string) {
	body, _ := json.Marshal(map[string]string{"text": text})
	return p.ask(http.MethodPost, "/r/"+room+"/messages", string(body), "Content-Type", "application/json",
		"Authorization", "Bearer "+token, "Idempotency-Key", key)
}

// token makes a guest of that name.
func (p *process) token(name string) string {
	p.t.Helper()
	body, _ := json.Marshal(map[string]string{"name": name})
	status, answer := p.ask(http.MethodPost, "/session", string(body),
		"Content-Type", "application/json", "Authorization", "")
	var session struct{ Token string }
	if err := json.Unmarshal([]byte(answer), &session); err != nil || status != http.StatusOK {
		p.t.Fatalf("POST /session: %d %s", status, answer)
	}
	return session.Token
}

// output collects what a process writes, over all its lives.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
	life int // where what the present one wrote begins
}

func (o *output) Write(data []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(data)
}

func (o *output) begin() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.life = o.text.Len()
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// latest is what the present life wrote.
func (o *output) latest() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return string(o.text.Bytes()[o.life:])
}

// eventually waits until ok, and fails the test if that takes too long.
func eventually(t testing.TB, within time.Duration, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(within); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited %v for %s", within, what)
		}
	}
}

// entriesOf reads a room's stream from Redis itself: the truth that clients are
// compared with.
func entriesOf(t testing.TB, server *redistest.Server, room string) []redis.XMessage {
	t.Helper()
	client := server.Client()
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	keys, err := client.Keys(ctx, "*:room:"+room).Result()
	if err == nil && len(keys) != 1 {
		err = errors.New("want one stream")
	}
	if err != nil {
		t.Fatalf("room %q: keys %q: %v", room, keys, err)
	}
	entries, err := client.XRange(ctx, keys[0], "-", "+").Result()
	if err != nil {
		t.Fatal(err)
	}
	return entries
}
