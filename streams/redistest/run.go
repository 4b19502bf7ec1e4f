package redistest

import (
	"context"
	"os"
	"sync"
	"testing"

	"burble/streams/conns"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
)

// A Backend is an empty Redis that Run passes to a test.
type Backend struct {
	Real   bool // whether it is a real Redis, not miniredis
	Redis  *conns.Address
	Client Client // for the test's own commands

	servers []Client // all servers that have keys
}

// Run runs the body on miniredis, on a real Redis and on a Redis Cluster, as subtests.
func Run(t *testing.T, body func(t *testing.T, backend Backend)) {
	t.Run("miniredis", func(t *testing.T) {
		server := &Server{Addr: miniredis.RunT(t).Addr()}
		body(t, backend(t, false, server.Redis(), server))
	})
	RunReal(t, body)
}

// RunReal is like Run, but without miniredis. A Cluster takes seconds to start, so the tests share two
// of them, each used by one test at a time. Unless CI is set, RunReal skips the Cluster.
func RunReal(t *testing.T, body func(t *testing.T, backend Backend)) {
	t.Run("redis", func(t *testing.T) { body(t, Single(t)) })
	t.Run("cluster", func(t *testing.T) {
		SkipUnlessLong(t)
		cluster := shared.acquire(t)
		var servers []*Server
		for _, node := range cluster.Nodes {
			servers = append(servers, node.Server)
		}
		empty := backend(t, true, cluster.Redis(), servers...)
		empty.Flush(t)
		body(t, empty)
	})
}

// Single returns a Backend on one real Redis.
func Single(t testing.TB) Backend {
	t.Helper()
	server := Start(t)
	return backend(t, true, server.Redis(), server)
}

func backend(t testing.TB, real bool, address *conns.Address, servers ...*Server) Backend {
	b := Backend{Real: real, Redis: address, Client: Connect(t, address)}
	for _, server := range servers {
		client := server.Client()
		t.Cleanup(func() { client.Close() })
		b.servers = append(b.servers, client)
	}
	return b
}

// Keys returns all keys on all servers.
func (b Backend) Keys(t testing.TB) (all []string) {
	t.Helper()
	for _, server := range b.servers {
		keys, err := server.Keys(context.Background(), "*").Result()
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, keys...)
	}
	return all
}

// Flush removes all keys and scripts.
func (b Backend) Flush(t testing.TB) {
	t.Helper()
	b.DoOnEach(t, "FLUSHALL")
	b.DoOnEach(t, "SCRIPT", "FLUSH")
}

// DoOnEach sends the command to all servers that have keys.
func (b Backend) DoOnEach(t testing.TB, command ...any) {
	t.Helper()
	for _, server := range b.servers {
		if err := server.Do(context.Background(), command...).Err(); err != nil {
			t.Fatalf("%v: %v", command, err)
		}
	}
}

// Denied returns the entries of ACL LOG, which are the commands and keys that Redis has denied.
func (b Backend) Denied(t testing.TB) (all []string) {
	t.Helper()
	for _, server := range b.servers {
		denied, err := server.ACLLog(context.Background(), 100).Result()
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range denied {
			all = append(all, one.Reason+" "+one.Object)
		}
	}
	return all
}

// Main runs a package's tests, and then stops the Clusters that they shared. The TestMain of a package
// whose tests call Run must call Main.
func Main(m *testing.M) int {
	redis.SetLogger(silentLogger{})
	defer shared.end()
	return m.Run()
}

// silentLogger drops go-redis's log, which only repeats errors that are also returned.
type silentLogger struct{}

func (silentLogger) Printf(context.Context, string, ...any) {}

// A pool holds Clusters that tests share. Each is used by one test at a time.
type pool struct {
	inUse   chan struct{} // one for each Cluster in use
	mu      sync.Mutex
	free    []*Cluster
	started []*outlivingTB
}

var shared = pool{inUse: make(chan struct{}, 2)}

// acquire returns an unused Cluster. If there is none, it starts one, or waits until a test returns one. The
// test's cleanup returns the Cluster to the pool, after the cleanups of everything that the test starts
// later.
func (p *pool) acquire(t testing.TB) *Cluster {
	t.Helper()
	p.inUse <- struct{}{}
	t.Cleanup(func() { <-p.inUse })
	cluster := p.pick()
	if cluster == nil {
		tb := &outlivingTB{TB: t}
		p.mu.Lock()
		p.started = append(p.started, tb)
		p.mu.Unlock()
		cluster = StartCluster(tb, 0)
	}
	t.Cleanup(func() { p.release(cluster) })
	return cluster
}

// pick returns an unused Cluster, or nil.
func (p *pool) pick() *Cluster {
	p.mu.Lock()
	defer p.mu.Unlock()
	last := len(p.free) - 1
	if last < 0 {
		return nil
	}
	cluster := p.free[last]
	p.free = p.free[:last]
	return cluster
}

func (p *pool) release(cluster *Cluster) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.free = append(p.free, cluster)
}

func (p *pool) end() {
	for _, tb := range p.started {
		for _, end := range tb.cleanups {
			defer end()
		}
	}
}

// An outlivingTB is a testing.TB that runs its cleanups when all tests have finished, so what it starts outlives the test.
type outlivingTB struct {
	testing.TB
	cleanups []func()
}

func (l *outlivingTB) Cleanup(end func()) { l.cleanups = append(l.cleanups, end) }

// SkipUnlessLong skips a test that takes a long time, unless CI is set.
func SkipUnlessLong(t testing.TB) {
	t.Helper()
	if os.Getenv("CI") == "" {
		t.Skip("skipped because it takes a long time; CI=true runs it")
	}
}
