//go:build unix

package chaos

import (
	"context"
	"strings"
	"syscall"
	"testing"

	"burble/streams/conns"
	"burble/streams/redistest"
)

// backend is the Redis of a run: a single one, Sentinel or Cluster.
type backend interface {
	// url returns the REDIS_URL of the server in a slot.
	url(slot int) string
	// directAddress returns options for connections that do not go through the proxies of servers.
	directAddress() *conns.Address
	// primaries returns the nodes that accept writes now. Connections to them use no proxy.
	primaries() []*redistest.Server
	// networks returns the proxies between servers and Redis.
	networks() []*redistest.Proxy
	// faults returns the faults that only this kind of Redis can have.
	faults() []fault
	// awaitHealthy waits until all nodes run, and replicas follow their primaries.
	awaitHealthy()
	// mayLose reports whether a failover may lose acknowledged entries.
	mayLose() bool
	// expectedCounts returns how many replicas a primary has, and how many connections a server may open to
	// the primary.
	expectedCounts() (replicas, connections int)
}

// single is one Redis, with a separate proxy for each server.
type single struct {
	server *redistest.Server
	disk   bool
	links  []*redistest.Proxy
}

func startSingle(t testing.TB, durability string, servers int, args ...string) *single {
	fsync := map[string]string{"memory": "everysec", "disk": "always"}[durability]
	s := &single{
		server: redistest.StartTCP(t, append(args, "--appendonly", "yes", "--appendfsync", fsync, "--auto-aof-rewrite-min-size", "4mb")...),
		disk:   durability == "disk",
	}
	for range servers {
		s.links = append(s.links, redistest.StartProxy(t, s.server.Addr))
	}
	return s
}

func (s *single) url(slot int) string            { return "redis://" + s.links[slot].Addr }
func (s *single) directAddress() *conns.Address  { return s.server.Redis() }
func (s *single) primaries() []*redistest.Server { return []*redistest.Server{s.server} }
func (s *single) networks() []*redistest.Proxy   { return s.links }
func (s *single) awaitHealthy()                  {}
func (s *single) mayLose() bool                  { return false }
func (s *single) expectedCounts() (int, int)     { return 0, maxConnections }

func (s *single) faults() []fault {
	return []fault{
		{"redis restarted", redisProcess, func(i *injection) {
			if s.disk { // a crash does not lose entries
				s.server.Kill()
			} else {
				s.shutDown()
			}
			i.waitForEnd()
			s.server.Restart()
		}},
		{"redis paused", redisProcess, func(i *injection) {
			s.server.Pause()
			i.waitForEnd()
			s.server.Resume()
		}},
	}
}

// shutDown stops Redis gracefully, after it has written everything to disk.
func (s *single) shutDown() {
	client := s.server.Client()
	defer client.Close()
	client.Shutdown(context.Background())
	syscall.Kill(s.server.PID(), syscall.SIGCONT)
	s.server.Kill()
}

// onPrimaries calls do with a client of each primary.
func (h *harness) onPrimaries(do func(client redistest.Client) error) {
	for _, server := range h.backend.primaries() {
		client := conns.Connect(&conns.Address{Addrs: []string{server.Addr}, ClientName: "chaos"})
		if err := do(client); err != nil {
			h.t.Errorf("redis at %s: %v", server.Addr, err)
		}
		client.Close()
	}
}

// awaitReplicas waits until the replicas have confirmed the writes of the connection.
func (h *harness) awaitReplicas(ctx context.Context, client redistest.Client) error {
	replicas, _ := h.backend.expectedCounts()
	if replicas == 0 {
		return nil
	}
	return client.Do(ctx, "WAIT", replicas, h.options.patience.Milliseconds()).Err()
}

// connections returns the number of connections from all servers to the primaries.
func (h *harness) connections() (count int) {
	h.onPrimaries(func(client redistest.Client) error {
		list, err := client.ClientList(context.Background()).Result()
		for line := range strings.Lines(list) {
			ours := strings.Contains(line, "name=chaos") || strings.Contains(line, "name=sentinel")
			if !ours && !strings.Contains(line, "flags=S") && !strings.Contains(line, "flags=M") {
				count++
			}
		}
		return err
	})
	return count
}
