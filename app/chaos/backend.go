//go:build unix

package chaos

import (
	"context"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

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
	// awaitWhole waits until everything runs and takes writes again.
	awaitWhole()
	// loses says whether a failover may lose what was acknowledged.
	loses() bool
	// limits are how many replicas a primary has, and how many connections a server
	// may have open to it.
	limits() (replicas, connections int)
}

// single is one Redis, with a network of its own for each server.
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
func (s *single) primaries() []*redistest.Server { return []*redistest.Server{s.server} }
func (s *single) networks() []*redistest.Proxy   { return s.links }
func (s *single) awaitWhole()                    {}
func (s *single) loses() bool                    { return false }
func (s *single) limits() (int, int)             { return 0, redisMost }

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

// replicated waits until the replicas have what the connection wrote.
func (w *world) replicated(ctx context.Context, client *redis.Client) error {
	replicas, _ := w.backend.limits()
	if replicas == 0 {
		return nil
	}
	return client.Wait(ctx, replicas, w.options.patience).Err()
}

// doubt notes that until the function it returns is called, two primaries are possible.
func (w *world) doubt() (end func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	span := &[2]time.Time{time.Now().Add(-time.Second), time.Now().Add(time.Hour)}
	w.doubts = append(w.doubts, span)
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		span[1] = time.Now()
	}
}

// doubtful says whether an entry is of a time when two primaries were possible.
func (w *world) doubtful(at id) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	when := time.UnixMilli(int64(at.millis))
	return slices.ContainsFunc(w.doubts, func(span *[2]time.Time) bool { return when.After(span[0]) && when.Before(span[1]) })
}

// mayLose says whether an entry may be lost though it was acknowledged.
func (w *world) mayLose(at id) bool { return w.backend.loses() && w.doubtful(at) }

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
