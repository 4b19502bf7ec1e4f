//go:build unix

package chaos

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"burble/app/chaos/bots"
	"burble/streams/redistest"
)

// options describe a run.
type options struct {
	seed              uint64
	length            time.Duration
	redis, durability string
	servers           int
	crowd             int           // clients in a reconnect storm
	pause             int           // maximum pause of an author, in milliseconds
	plain             bool          // authors send only messages
	faithful          bool          // authors never stop retrying
	patience          time.Duration // how long clients may take to receive everything
	only              string        // only faults whose names contain this
	program           string        // path of the built program; if empty, it is built
	previous          string        // a program that every second server runs; may be empty
	logs              string        // folder for the servers' output; if empty, a temporary folder
	env               []string      // additional variables for the servers
}

// harness has the servers, the networks and the Redis of a run.
type harness struct {
	t        testing.TB
	options  options
	program  string
	started  atomic.Int64 // number of servers started
	logs     string       // folder
	faultLog *os.File     // in the folder logs
	backend  backend
	slots    []*slot
	token    string          // for clients that only read
	testCtx  context.Context // canceled at the end of the test
	phases   int             // number of phases so far
	people   *people         // nil until a phase has hidden rooms
}

func newHarness(t testing.TB, o options) *harness {
	h := &harness{t: t, options: o, program: o.program, logs: cmp.Or(o.logs, t.TempDir())}
	var err error
	if h.faultLog, err = os.Create(filepath.Join(h.logs, "faults.txt")); err != nil {
		t.Fatal(err)
	}
	life, end := context.WithCancel(context.Background())
	h.testCtx = life
	h.backend = startBackend(t, o, "--logfile", filepath.Join(h.logs, "redis.txt"))
	if h.program == "" {
		h.program = build(t)
	}
	for i := range o.servers {
		h.slots = append(h.slots, &slot{index: i, proxy: redistest.StartProxy(t, "")})
	}
	for _, s := range h.slots {
		h.launch(h.testCtx, s)
	}
	t.Cleanup(func() {
		end()
		h.faultLog.Close()
		for _, s := range h.slots {
			if s.process != nil {
				s.process.kill()
			}
		}
		for _, crash := range h.crashes() {
			t.Errorf("a server crashed:\n%s", crash)
		}
	})
	reader := bots.ServerAt(h.slots[0].proxy.Addr, "")
	if _, err := reader.SignIn(h.testCtx, "reader"); err != nil {
		t.Fatal(err)
	}
	h.token = reader.Token
	for _, s := range h.slots {
		s.baseline, _ = s.process.resources(h.testCtx)
	}
	return h
}

func startBackend(t testing.TB, o options, args ...string) backend {
	switch o.redis + " " + o.durability {
	case "single memory", "single disk":
		return startSingle(t, o.durability, o.servers, args...)
	case "sentinel memory", "sentinel replica":
		return startSentinel(t, o.durability, args...)
	case "cluster memory", "cluster replica":
		return startCluster(t, o.durability, args...)
	}
	t.Fatalf("-redis %s with -durability %s: want single with memory or disk, or sentinel or cluster with memory or replica", o.redis, o.durability)
	return nil
}

// newRandom returns random numbers that depend only on the seed and the purpose.
func (h *harness) newRandom(purpose string) *rand.Rand { return newRandom(h.options.seed, purpose) }

// wait waits until the time has passed or ctx ends.
func wait(ctx context.Context, length time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(length):
	}
}

// logFault adds a line to the log of faults.
func (h *harness) logFault(from time.Time, name string, target int) {
	const clock = "15:04:05.000"
	fmt.Fprintf(h.faultLog, "%s to %s: %s (%d)\n", from.UTC().Format(clock), time.Now().UTC().Format(clock), name, target)
}
