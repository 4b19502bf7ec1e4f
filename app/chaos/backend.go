//go:build unix

package chaos

import (
	"context"
	"strings"
	"syscall"
	"testing"

	"burble/streams/redistest"

	"github.com/redis/go-redis/v9"
)

// backend is the Redis of a run, in one of its topologies.
type backend interface {
	// url is where the server in that slot finds Redis.
	url(slot int) string
	// primaries are the nodes that take writes now, past every proxy.
	primaries() []*redistest.Server
	// networks lie between the servers and Redis.
	networks() []*redistest.Proxy
	// faults are what can happen to this topology.
	faults() []fault
	// whole waits until everything runs and takes writes again.
	whole()
	// parts says whether two primaries are possible for a while, loses whether what
	// one has acknowledged may be lost with it.
	parts() bool
	loses() bool
}

// single is one Redis, with a network of its own for each server.
type single struct {
	server *redistest.Server
	disk   bool
	links  []*redistest.Proxy
}

func startSingle(t testing.TB, durability string, servers int) *single {
	fsync := map[string]string{"memory": "everysec", "disk": "always"}[durability]
	if fsync == "" {
		t.Fatalf("one Redis has no replica: -durability is memory or disk, not %s", durability)
	}
	s := &single{
		server: redistest.StartTCP(t, "--appendonly", "yes", "--appendfsync", fsync, "--auto-aof-rewrite-min-size", "4mb"),
		disk:   durability == "disk",
	}
	for range servers {
		s.links = append(s.links, redistest.StartProxy(t, s.server.Addr))
	}
	return s
}

func (s *single) url(slot int) string            { return "redis://" + s.links[slot].Addr }
func (s *single) primaries() []*redistest.Server { return []*redistest.Server{s.server} }
func (s *single) networks() []*redistest.Proxy   { return s.links }
func (s *single) whole()                         {}
func (s *single) parts() bool                    { return false }
func (s *single) loses() bool                    { return false }

func (s *single) faults() []fault {
	return []fault{
		{"redis restarted", redisLane, func(b *blow) {
			if s.disk { // then a crash loses nothing
				s.server.Kill()
			} else {
				s.stop()
			}
			b.rest()
			s.server.Restart()
		}},
		{"redis paused", redisLane, func(b *blow) {
			s.server.Pause()
			b.rest()
			s.server.Resume()
		}},
	}
}

// stop ends Redis in good order: then it has written down everything.
func (s *single) stop() {
	client := s.server.Client()
	defer client.Close()
	client.Shutdown(context.Background())
	syscall.Kill(s.server.PID(), syscall.SIGCONT)
	s.server.Kill()
}

// onPrimaries does something on every node that takes writes.
func (w *world) onPrimaries(do func(client *redis.Client) error) {
	for _, server := range w.backend.primaries() {
		client := redis.NewClient(&redis.Options{
			Addr: server.Addr, MaxRetries: -1, DisableIdentity: true, ClientName: "chaos",
		})
		if err := do(client); err != nil {
			w.t.Errorf("redis at %s: %v", server.Addr, err)
		}
		client.Close()
	}
}

// connections counts what the servers have open to Redis.
func (w *world) connections() (count int) {
	w.onPrimaries(func(client *redis.Client) error {
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
