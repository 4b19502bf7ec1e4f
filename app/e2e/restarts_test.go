//go:build unix

package e2e

import (
	"bufio"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"burble/app/apptest"
	"burble/app/client"
	"burble/streams/redistest"
)

// eventSourcePackage is the npm package of the EventSource that programs in Node.js use. This is the
// newest version that runs on Debian's Node.js.
const eventSourcePackage = "eventsource@3.0.7"

// An EventSource gives up after a response with a status other than 200, so a server that restarts must
// never send one to a live read.
func TestLiveReadsOutliveRestarts(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	const restarts, eventSources = 4, 200 // ending them takes over 4 s, so some EventSources reconnect, after 3 s, while the server still drains
	const pythons, streams = 10, 10
	redis := redistest.Start(t)
	restarted := apptest.Start(t, redis, "PORT="+strconv.Itoa(redistest.FreePort(t)))
	other := apptest.Start(t, redis)
	token := other.SignIn("Ada")
	url := restarted.URL() + "/r/lobby/events?last=0"

	readers := newLiveReaders(t)
	if module := installEventSource(t); module != "" {
		readers.run("npm eventsource", eventSources, exec.Command("node", "testdata/eventsource.mjs", module, url, strconv.Itoa(eventSources)))
	}
	if program := lookPath(t, "python3"); program != "" {
		readers.run("Python", pythons, exec.Command(program, "testdata/events.py", url, strconv.Itoa(pythons)))
	}
	for _, format := range []string{client.SSE, client.NDJSON} {
		for i := range streams {
			readers.follow(fmt.Sprint("Go ", format, " ", i), restarted, format)
		}
	}
	readers.awaitFollowed()

	var stored []string
	post := func() {
		t.Helper()
		stored = append(stored, other.PostStored(token, "lobby", fmt.Sprint("message ", len(stored))))
	}
	for i := range restarts {
		if i%3 == 1 {
			restarted.Kill()
		}
		restarted.Signal(syscall.SIGTERM)
		polls := 0
		apptest.Eventually(t, patience, "the server to exit", func() bool {
			if polls++; polls%20 == 1 {
				post() // also while the clients are disconnected
			}
			return restarted.HasExited()
		})
		restarted.Start()
		restarted.AwaitReady()
		post()
		readers.await(stored)
	}
}

// lookPath returns the path of a program, or "" if there is none. If CI is set, it then also fails the test.
func lookPath(t *testing.T, program string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err == nil {
		return path
	}
	if os.Getenv("CI") != "" {
		t.Errorf("%v; CI may not skip this test", err)
	}
	t.Logf("without %s: %v", program, err)
	return ""
}

// installEventSource returns the path of the module of npm's eventsource, or "" if npm or node is
// missing, or if npm cannot install it.
func installEventSource(t *testing.T) string {
	t.Helper()
	if lookPath(t, "node") == "" || lookPath(t, "npm") == "" {
		return ""
	}
	folder, err := os.UserCacheDir()
	if err != nil {
		folder = os.TempDir()
	}
	folder = filepath.Join(folder, "burble", eventSourcePackage)
	module := filepath.Join(folder, "node_modules", "eventsource", "dist", "index.js")
	if _, err := os.Stat(module); err == nil {
		return module
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	install := exec.Command("npm", "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts",
		"--fetch-retries=1", "--fetch-timeout=20000", "--prefix", folder, eventSourcePackage)
	if out, err := install.CombinedOutput(); err != nil {
		if os.Getenv("CI") != "" {
			t.Errorf("npm install %s: %v\n%s", eventSourcePackage, err, out)
		}
		t.Logf("without eventsource: %v", err)
		return ""
	}
	return module
}

// liveReaders are clients that read the lobby, in this process and in others.
type liveReaders struct {
	t *testing.T

	mu       sync.Mutex
	followed map[string]bool     // whether the server has confirmed a client's follow, by client
	closed   map[string]bool     // whether a client has given up, by client
	read     map[string][]string // entry IDs that a client has read, by client
}

func newLiveReaders(t *testing.T) *liveReaders {
	return &liveReaders{t: t, followed: make(map[string]bool), closed: make(map[string]bool), read: make(map[string][]string)}
}

// run runs a program that prints a line for each event of its clients: the client's number, and
// "followed", "closed" or an entry ID.
func (r *liveReaders) run(name string, count int, program *exec.Cmd) {
	r.t.Helper()
	output, err := program.StdoutPipe()
	if err != nil {
		r.t.Fatal(err)
	}
	program.Stderr = os.Stderr
	if err := program.Start(); err != nil {
		r.t.Fatal(err)
	}
	for i := range count {
		r.add(fmt.Sprint(name, " ", i))
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for lines := bufio.NewScanner(output); lines.Scan(); {
			number, event, _ := strings.Cut(lines.Text(), " ")
			r.record(name+" "+number, event)
		}
	}()
	r.t.Cleanup(func() {
		program.Process.Kill()
		<-ended
		program.Wait()
	})
}

// follow reads with the Go client until the test ends.
func (r *liveReaders) follow(name string, server *apptest.Server, format string) {
	r.add(name)
	ctx, ended := r.t.Context(), make(chan struct{})
	go func() {
		defer close(ended)
		follow := client.Follow{Room: "lobby"}
		for ctx.Err() == nil {
			stream, err := server.Client("").Live(ctx, follow, format)
			if refused := (*client.Error)(nil); errors.As(err, &refused) {
				r.record(name, "closed")
				return
			}
			for err == nil {
				var frame client.Frame
				switch frame, err = stream.Next(); f := frame.(type) {
				case *client.Followed:
					follow.After = f.At
					r.record(name, "followed")
				case *client.Entries:
					follow.After = f.Upto
					r.record(name, f.Entries[0].ID)
				}
			}
			if stream != nil {
				stream.Close()
			}
			select {
			case <-ctx.Done():
			case <-time.After(100 * time.Millisecond):
			}
		}
	}()
	r.t.Cleanup(func() { <-ended })
}

func (r *liveReaders) add(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.followed[name] = false
}

func (r *liveReaders) record(name, event string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch event {
	case "followed":
		r.followed[name] = true
	case "closed":
		r.closed[name] = true
	default:
		r.read[name] = append(r.read[name], event)
	}
}

func (r *liveReaders) awaitFollowed() {
	r.t.Helper()
	apptest.Eventually(r.t, patience, "the server to confirm all follows", func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return !slices.Contains(slices.Collect(maps.Values(r.followed)), false)
	})
}

// await waits until every client has read exactly these entries in this order, and fails the test if
// one has given up.
func (r *liveReaders) await(want []string) {
	r.t.Helper()
	behind := func() (count int) {
		r.mu.Lock()
		defer r.mu.Unlock()
		for name := range r.followed {
			if len(r.read[name]) < len(want) && !r.closed[name] {
				count++
			}
		}
		return count
	}
	apptest.Eventually(r.t, patience, "all clients to read everything", func() bool { return behind() == 0 })
	r.mu.Lock()
	defer r.mu.Unlock()
	r.t.Logf("%d clients, %d entries", len(r.followed), len(want))
	if len(r.closed) > 0 {
		r.t.Errorf("%d of %d clients gave up, want 0", len(r.closed), len(r.followed))
	}
	for name := range r.followed {
		if !r.closed[name] && !slices.Equal(r.read[name], want) {
			r.t.Errorf("%s read %d entries, want %d", name, len(r.read[name]), len(want))
		}
	}
}
