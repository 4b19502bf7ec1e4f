//go:build unix

package chaos

import (
	"cmp"
	"context"
	"flag"
	"os"
	"testing"
	"time"

	"burble/app/apptest"
	"burble/streams/redistest"

	"github.com/redis/go-redis/v9"
)

var (
	seed       = flag.Uint64("seed", 1, "seed for the schedule of faults and the behavior of clients")
	length     = flag.Duration("for", 0, "how long to inject faults (default 30s); without it, the test needs CI=true")
	topology   = flag.String("redis", "single", "single, sentinel or cluster")
	durability = flag.String("durability", "disk", "memory, replica (not with single) or disk (only with single)")
	servers    = flag.Int("servers", 3, "number of server processes")
	crowd      = flag.Int("crowd", 300, "number of clients in a reconnect storm")
	only       = flag.String("only", "", "inject only faults whose names contain this")
	previous   = flag.String("previous", "", "program of the previous release, which every second server runs, as in a rolling upgrade")
	keep       = flag.String("keep", "", "folder for the output of the servers and a log of faults")
)

// optionsFromFlags returns the options that the flags set.
func optionsFromFlags() options {
	return options{
		seed: *seed, length: cmp.Or(*length, 30*time.Second), redis: *topology, durability: *durability,
		servers: *servers, crowd: *crowd, pause: 150, patience: time.Minute, only: *only, logs: *keep, previous: *previous,
	}
}

func TestChaos(t *testing.T) {
	if *length == 0 {
		redistest.SkipUnlessLong(t)
	}
	t.Parallel()
	o := optionsFromFlags()
	h := newHarness(t, o)
	r := &report{out: t.Output()}
	r.printf("chaos: -seed %d -for %v -redis %s -durability %s -servers %d -crowd %d", o.seed, o.length, o.redis, o.durability, o.servers, o.crowd)
	h.run(r)
	if r.failed > 0 {
		t.Errorf("%d checks failed, want 0", r.failed)
	}
}

// silentLogger drops go-redis' messages about connections that the harness has broken.
type silentLogger struct{}

func (silentLogger) Printf(context.Context, string, ...any) {}

func TestMain(m *testing.M) {
	redis.SetLogger(silentLogger{})
	parallel := "8" // these tests wait most of the time; -parallel overrides this
	if apptest.HasRaceDetector() {
		parallel = "4"
	}
	flag.Set("test.parallel", parallel)
	os.Exit(m.Run())
}
