package streams

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"burble/streams/conns"

	"github.com/redis/go-redis/v9"
	"golang.org/x/time/rate"
)

// evictionInterval is how often a Store that receives appends checks whether Redis evicts keys.
const evictionInterval = time.Minute

// memory holds a Redis server's report about its memory.
type memory struct {
	used, limit int64  // in bytes; a limit of 0 means no limit
	policy      string // maxmemory-policy; "" if the server does not report it
	evicted     int64  // number of keys evicted since the server started
}

// eviction records the keys that Redis evicts when its memory is full.
type eviction struct {
	mu      sync.Mutex
	policy  string           // policy of a server that may evict keys; "" if none may
	evicted int64            // number of keys evicted since Open
	last    map[string]int64 // memory.evicted by server
	logs    rate.Sometimes
}

// checkEviction queries every primary, and logs new evictions and eviction policies. The result omits
// servers that do not report their memory, because some hosts forbid INFO.
func (s *Store) checkEviction(ctx context.Context) []memory {
	var mu sync.Mutex
	servers := map[string]memory{}
	conns.ForEachPrimary(ctx, s.redis.Retrying, func(ctx context.Context, address string, node conns.Client) error {
		if found, ok := readMemory(ctx, node); ok {
			mu.Lock()
			defer mu.Unlock()
			servers[address] = found
		}
		return nil
	})
	s.recordEviction(servers)
	var all []memory
	for _, server := range servers {
		all = append(all, server)
	}
	return all
}

func readMemory(ctx context.Context, node conns.Client) (found memory, ok bool) {
	pipe := node.Pipeline()
	sections := []*redis.StringCmd{pipe.Info(ctx, "memory"), pipe.Info(ctx, "stats")}
	pipe.Exec(ctx)
	for _, section := range sections {
		text, err := section.Result()
		ok = ok || err == nil
		found.parse(text)
	}
	return found, ok
}

func (m *memory) parse(info string) {
	for line := range strings.Lines(info) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		switch name {
		case "used_memory":
			m.used, _ = strconv.ParseInt(value, 10, 64)
		case "maxmemory":
			m.limit, _ = strconv.ParseInt(value, 10, 64)
		case "maxmemory_policy":
			m.policy = value
		case "evicted_keys":
			m.evicted, _ = strconv.ParseInt(value, 10, 64)
		}
	}
}

func (s *Store) recordEviction(servers map[string]memory) {
	e := &s.eviction
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.last == nil {
		e.last = map[string]int64{}
	}
	policy, evicted := "", int64(0)
	for addr, server := range servers {
		if server.policy != "" && server.policy != "noeviction" {
			policy = server.policy
		}
		before, known := e.last[addr]
		if known && server.evicted > before { // after a restart, the server counts from 0
			evicted += server.evicted - before
		}
		e.last[addr] = server.evicted
	}
	if len(servers) > 0 && policy != e.policy {
		e.policy = policy
		if policy != "" {
			s.log.Warn("redis may evict keys: "+policyRisk(policy), "maxmemory_policy", policy)
		}
	}
	e.evicted += evicted
	if evicted > 0 {
		e.logs.Do(func() {
			s.log.Error("redis evicted keys, perhaps whole rooms", "since_start", e.evicted, "maxmemory_policy", policy)
		})
	}
}

// policyRisk describes what an eviction policy may remove, and how to prevent that.
func policyRisk(policy string) string {
	risk := "it may remove whole rooms when its memory is full"
	if strings.HasPrefix(policy, "volatile-") {
		risk = "it may remove idempotency keys when its memory is full, so that a retried message is stored twice"
	}
	return risk + "; set maxmemory-policy to noeviction"
}

// Warning describes evictions and settings that allow them, because these may lose entries even while
// Redis accepts appends. It returns "" if there are none. Health updates the warning.
func (s *Store) Warning() string {
	e := &s.eviction
	e.mu.Lock()
	defer e.mu.Unlock()
	var parts []string
	if e.evicted > 0 {
		parts = append(parts, fmt.Sprintf("redis has evicted %d keys since this server started, perhaps whole rooms", e.evicted))
	}
	if e.policy != "" {
		parts = append(parts, "redis has maxmemory-policy "+e.policy+": "+policyRisk(e.policy))
	}
	return strings.Join(parts, "; ")
}

// EvictedKeys returns how many keys the Store has seen Redis evict since Open.
func (s *Store) EvictedKeys() int64 {
	s.eviction.mu.Lock()
	defer s.eviction.mu.Unlock()
	return s.eviction.evicted
}

// watchEviction checks for evictions at each tick until ctx ends. It skips a tick if there were no appends
// since the last one, because reads do not cause evictions.
func (s *Store) watchEviction(ctx context.Context, ticks <-chan time.Time) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticks:
		}
		if s.health.appended.Swap(false) {
			bounded, cancel := context.WithTimeout(ctx, healthTimeout)
			s.checkEviction(bounded)
			cancel()
		}
	}
}
