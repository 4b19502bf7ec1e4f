package redistest

import (
	"context"
	"sync"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
)

// Backend is a Redis of any sort, as Run hands it out. It is empty.
type Backend struct {
	Real   bool // not the imitation
	Redis  *redis.UniversalOptions
	Client redis.UniversalClient // for a test to look at keys

	servers []*redis.Client // all that hold keys
}

// Run runs the body on miniredis, on a real Redis and on a Redis Cluster, as subtests.
func Run(t *testing.T, body func(t *testing.T, backend Backend)) {
	t.Run("miniredis", func(t *testing.T) {
		server := &Server{Addr: miniredis.RunT(t).Addr()}
		body(t, backend(t, false, server.Redis(), server))
	})
	RunReal(t, body)
}

// RunReal is Run without miniredis. Clusters take seconds to start: a few are kept, and
// handed to one test after the other. -short leaves them out.
func RunReal(t *testing.T, body func(t *testing.T, backend Backend)) {
	t.Run("redis", func(t *testing.T) { body(t, One(t)) })
	t.Run("cluster", func(t *testing.T) {
		if testing.Short() {
			t.Skip("skipped: a Redis Cluster takes its time")
		}
		cluster := shared.take(t)
		var servers []*Server
		for _, node := range cluster.Nodes {
			servers = append(servers, node.Server)
		}
		empty := backend(t, true, cluster.Redis(), servers...)
		empty.Flush(t)
		body(t, empty)
	})
}

// One is a Backend of one real Redis.
func One(t testing.TB) Backend {
	t.Helper()
	server := Start(t)
	return backend(t, true, server.Redis(), server)
}

func backend(t testing.TB, real bool, options *redis.UniversalOptions, servers ...*Server) Backend {
	b := Backend{Real: real, Redis: options, Client: redis.NewUniversalClient(options)}
	t.Cleanup(func() { b.Client.Close() })
	for _, server := range servers {
		client := server.Client()
		t.Cleanup(func() { client.Close() })
		b.servers = append(b.servers, client)
	}
	return b
}

// Keys are all keys there are.
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

// Flush removes all keys, and all scripts that Redis remembers.
func (b Backend) Flush(t testing.TB) {
	t.Helper()
	b.Each(t, "FLUSHALL")
	b.Each(t, "SCRIPT", "FLUSH")
}

// Each has every server that holds keys do it.
func (b Backend) Each(t testing.TB, command ...any) {
	t.Helper()
	for _, server := range b.servers {
		if err := server.Do(context.Background(), command...).Err(); err != nil {
			t.Fatalf("%v: %v", command, err)
		}
	}
}

// Denied is what users tried without having the right, by ACL LOG.
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

// Main runs a package's tests, and then ends the Clusters that Run had them share. A
// package whose tests call Run calls it from TestMain.
func Main(m *testing.M) int {
	redis.SetLogger(quiet{})
	defer shared.end()
	return m.Run()
}

// quiet is the library's logger: what it has to say, it returns as well.
type quiet struct{}

func (quiet) Printf(context.Context, string, ...any) {}

// pool is Clusters that are used by one test after the other.
type pool struct {
	slots   chan struct{} // one for each Cluster that may be
	mu      sync.Mutex
	free    []*Cluster
	started []*lasting
}

var shared = pool{slots: make(chan struct{}, 2)}

// take waits for a Cluster that nobody uses, or starts one. It is the test's until the end,
// when all that the test will yet start has ended.
func (p *pool) take(t testing.TB) *Cluster {
	t.Helper()
	p.slots <- struct{}{}
	t.Cleanup(func() { <-p.slots })
	cluster := p.pick()
	if cluster == nil {
		outlives := &lasting{TB: t}
		p.mu.Lock()
		p.started = append(p.started, outlives)
		p.mu.Unlock()
		cluster = StartCluster(outlives, 0)
	}
	t.Cleanup(func() { p.give(cluster) })
	return cluster
}

// pick takes one that is free, or none.
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

func (p *pool) give(cluster *Cluster) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.free = append(p.free, cluster)
}

func (p *pool) end() {
	for _, outlives := range p.started {
		for _, end := range outlives.cleanups {
			defer end()
		}
	}
}

// lasting is a test that does not end what it started.
type lasting struct {
	testing.TB
	cleanups []func()
}

func (l *lasting) Cleanup(end func()) { l.cleanups = append(l.cleanups, end) }
