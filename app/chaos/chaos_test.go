//go:build unix

package chaos

import (
	"context"
	"flag"
	"os"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

var (
	seed       = flag.Uint64("seed", 1, "of the schedule of faults and of what clients do")
	length     = flag.Duration("for", 30*time.Second, "how long faults happen")
	topology   = flag.String("redis", "single", "single, sentinel or cluster")
	durability = flag.String("durability", "disk", "memory, replica (not single) or disk (single)")
	servers    = flag.Int("servers", 3, "processes of Burble")
	crowd      = flag.Int("crowd", 300, "clients that come back at once")
	only       = flag.String("only", "", "faults whose name has this, and no others")
	keep       = flag.String("keep", "", "folder to keep the servers' logs in")
)

func flagged() options {
	return options{
		seed: *seed, length: *length, redis: *topology, durability: *durability,
		servers: *servers, crowd: *crowd, pause: 150, patience: time.Minute, only: *only, logs: *keep,
	}
}

func TestChaos(t *testing.T) {
	o := flagged()
	w := newWorld(t, o)
	r := &report{out: os.Stdout}
	r.say("chaos: -seed %d -for %v -redis %s -durability %s -servers %d -crowd %d", o.seed, o.length, o.redis, o.durability, o.servers, o.crowd)
	w.run(r)
	if r.failed > 0 {
		t.Errorf("%d claims failed", r.failed)
	}
}

// quiet is the Redis library's logger: it cannot reach what the harness has killed.
type quiet struct{}

func (quiet) Printf(context.Context, string, ...any) {}

func TestMain(m *testing.M) {
	redis.SetLogger(quiet{})
	os.Exit(m.Run())
}
