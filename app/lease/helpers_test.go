package lease_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"burble/app/lease"
	"burble/streams/conns"
	"burble/streams/redistest"

	"github.com/redis/go-redis/v9"
)

// The helpers of these tests:
//
//	start(t, address, options)    runs a job in this process
//	startServer(t, addr, item)    runs the job of countTo in a process of its own, which stops at an item
//	countTo(client, n, hook)      a step that does items 0 to n-1, and lists them in Redis
//	await(t, what, condition)     waits until the condition is met

var ctx = context.Background()

// patience is how long a test waits for something that takes much less time, except on a slow machine.
const patience = time.Minute

// serverAddr and serverItem are environment variables of the processes that startServer starts: the address of Redis,
// and the item to stop at.
const serverAddr, serverItem = "LEASE_TEST_REDIS", "LEASE_TEST_ITEM"

const (
	items         = 12
	shortLifetime = 600 * time.Millisecond
)

func TestMain(m *testing.M) {
	if addr := os.Getenv(serverAddr); addr != "" {
		runServer(addr, os.Getenv(serverItem))
		return
	}
	os.Exit(redistest.Main(m))
}

// runServer works until it gets to the item. Then it writes a line, and does the item when it has read a line.
func runServer(addr, item string) {
	stopAt, _ := strconv.Atoi(item)
	address := &conns.Address{Addrs: []string{addr}}
	set := conns.New(conns.Options{Redis: address, Stream: "{0}:activity"})
	input := bufio.NewReader(os.Stdin)
	job := lease.New(lease.Options{
		Name: "count", Redis: set, Lifetime: shortLifetime, Every: 20 * time.Millisecond, Log: slog.New(slog.NewTextHandler(os.Stdout, nil)),
		Step: countTo(conns.Connect(address), items, func(item int) {
			if item == stopAt {
				fmt.Println("stopped")
				input.ReadString('\n')
			}
		}),
	})
	job.Run(ctx)
}

// A server is a process that startServer has started.
type server struct {
	process *os.Process
	input   io.Writer
	output  *bufio.Scanner
}

// startServer starts a process, and returns when the process is about to do the item.
func startServer(t *testing.T, addr string, item int) *server {
	t.Helper()
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), serverAddr+"="+addr, fmt.Sprint(serverItem, "=", item))
	input, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { command.Process.Kill(); command.Wait() })
	s := &server{command.Process, input, bufio.NewScanner(output)}
	s.awaitLine(t, "stopped")
	return s
}

// awaitLine reads the output until a line has the text.
func (s *server) awaitLine(t *testing.T, text string) {
	t.Helper()
	timer := time.AfterFunc(patience, func() { s.process.Kill() })
	defer timer.Stop()
	for s.output.Scan() {
		if strings.Contains(s.output.Text(), text) {
			return
		}
	}
	t.Fatalf("the server never wrote %q", text)
}

// countTo returns a step that does one of the items 0 to n-1. The cursor is the item. hook, if not nil, is called first.
func countTo(client redistest.Client, n int, hook func(item int)) func(context.Context, string) (string, bool, error) {
	return func(ctx context.Context, cursor string) (string, bool, error) {
		item, _ := strconv.Atoi(cursor)
		if item == n {
			return cursor, true, nil
		}
		if hook != nil {
			hook(item)
		}
		err := client.RPush(context.WithoutCancel(ctx), "{0}:done", item).Err()
		return fmt.Sprint(item + 1), item+1 == n, err
	}
}

// start runs a job until the test ends, or the returned function is called.
func start(t *testing.T, address *conns.Address, o lease.Options) (job *lease.Job, stop func()) {
	t.Helper()
	o.Redis = conns.New(conns.Options{Redis: address, Stream: "{0}:activity"})
	if o.Name == "" {
		o.Name = "count"
	}
	if o.Every == 0 {
		o.Every = 20 * time.Millisecond
	}
	job = lease.New(o)
	running, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- job.Run(running) }()
	stop = func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run returned %v", err)
		}
		ended <- nil
	}
	t.Cleanup(func() { stop(); o.Redis.Close() })
	return job, stop
}

// done returns the items that were done, and whether any was done twice.
func done(t *testing.T, client redistest.Client) (all []int, twice bool) {
	t.Helper()
	values, err := client.LRange(ctx, "{0}:done", 0, -1).Result()
	if err != nil {
		t.Fatal(err)
	}
	for _, value := range values {
		item, _ := strconv.Atoi(value)
		twice = twice || slices.Contains(all, item)
		all = append(all, item)
	}
	slices.Sort(all)
	return slices.Compact(all), twice
}

func cursorOf(t *testing.T, client redistest.Client) string {
	t.Helper()
	stored, err := client.Get(ctx, "{0}:cursor:count").Result()
	if err != nil && err != redis.Nil {
		t.Fatal(err)
	}
	_, value, _ := strings.Cut(stored, ":")
	return value
}

func await(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !condition(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("timed out waiting for %s", what)
		}
	}
}

func awaitSignal(t *testing.T, what string, signal <-chan struct{}) {
	t.Helper()
	select {
	case <-signal:
	case <-time.After(patience):
		t.Fatalf("timed out waiting for %s", what)
	}
}
