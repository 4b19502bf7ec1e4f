package redistest

import (
	"context"
	"sync"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
)

// A Backend is a Redis as Run passes it to a test. It is empty.
type Backend struct {
	Real   bool // not miniredis
	Redis  *redis.UniversalOptions
	Client redis.UniversalClient // of the test itself

	servers []*redis.Client // every server that holds keys
}

// Run runs the body on miniredis, on a real Redis and on a Redis Cluster, as subtests.
func Run(t *testing.T, body func(t *testing.T, backend Backend)) {
	t.Run("miniredis", func(t *testing.T) {
		server := &Server{Addr: miniredis.RunT(t).Addr()}
		body(t, backend(t, false, server.Redis(), server))
	})
	RunReal(t, body)
}

// RunReal is Run without miniredis. A Cluster takes seconds to start, so two of them serve one
// test after the other. With -short there are none.
func RunReal(t *testing.T, body func(t *testing.T, backend Backend)) {
	t.Run("redis", func(t *testing.T) { body(t, Single(t)) })
	t.Run("cluster", func(t *testing.T) {
		if testing.Short() {
			t.Skip("shortened: no Redis Cluster with -short")
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

// Single returns a Backend on one real Redis.
func Single(t testing.TB) Backend {
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

// Keys returns all keys.
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
	b.Each(t, "FLUSHALL")
	b.Each(t, "SCRIPT", "FLUSH")
}

// Each sends the command to every server that holds keys.
func (b Backend) Each(t testing.TB, command ...any) {
	t.Helper()
	for _, server := range b.servers {
		if err := server.Do(context.Background(), command...).Err(); err != nil {
			t.Fatalf("%v: %v", command, err)
		}
	}
}

// Denied returns the entries of ACL LOG: what users tried without permission.
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

// Main runs a package's tests, and then ends the Clusters that Run shares among them. TestMain
// of a package whose tests call Run must call it.
func Main(m *testing.M) int {
	redis.SetLogger(silentLogger{})
	defer shared.end()
	return m.Run()
}

// silentLogger is the logger of go-redis, whose log only repeats returned errors.
type silentLogger struct{}

func (silentLogger) Printf(context.Context, string, ...any) {}

// A pool holds Clusters that serve one test after the other.
type pool struct {
	slots   chan struct{} // one for each Cluster in use
	mu      sync.Mutex
	free    []*Cluster
	started []*outlivingTB
}

var shared = pool{slots: make(chan struct{}, 2)}

// take returns an unused Cluster, starts one, or waits for one. The test gives it back in its
// cleanup, after everything that it starts later has ended.
func (p *pool) take(t testing.TB) *Cluster {
	t.Helper()
	p.slots <- struct{}{}
	t.Cleanup(func() { <-p.slots })
	cluster := p.pick()
	if cluster == nil {
		outlives := &outlivingTB{TB: t}
		p.mu.Lock()
		p.started = append(p.started, outlives)
		p.mu.Unlock()
		cluster = StartCluster(outlives, 0)
	}
	t.Cleanup(func() { p.give(cluster) })
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

// An outlivingTB is a test whose cleanups run when the process ends.
type outlivingTB struct {
	testing.TB
	cleanups []func()
}

func (l *outlivingTB) Cleanup(end func()) { l.cleanups = append(l.cleanups, end) }
