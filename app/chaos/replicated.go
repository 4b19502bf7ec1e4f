//go:build unix

package chaos

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"burble/streams/redistest"
)

// replicated is a Redis whose primaries have replicas that take over.
type replicated struct {
	nodes    []*redistest.Node
	address  string
	replicas int                           // of each primary
	most     int                           // connections of a server to one primary
	whole    func()                        // waits until all nodes are there and in step
	promoted func(old *redistest.Node)     // waits until another took over
	failed   func(old *redistest.Node)     // and until it has the other replica
	some     func(b *blow) *redistest.Node // one of the primaries
	own      []fault
	lossy    bool
}

func startSentinel(t testing.TB, durability string, args ...string) *replicated {
	s := redistest.StartSentinel(t, args...)
	r := &replicated{nodes: s.Nodes, address: s.URL(), replicas: 2, most: redisMost, lossy: durability == "memory"}
	r.some = func(*blow) *redistest.Node { return s.Primary() }
	r.promoted = func(old *redistest.Node) { s.AwaitFailover(old) }
	r.failed = func(old *redistest.Node) {
		primary := s.AwaitFailover(old)
		for _, node := range s.Nodes {
			if node != old && node != primary {
				s.AwaitReplica(node)
			}
		}
	}
	r.whole = func() {
		for deadline := time.Now().Add(time.Minute); !r.follow(s.Primary()); time.Sleep(50 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Error("the replicas do not follow the primary")
				return
			}
		}
	}
	r.own = []fault{
		{"primary cut off", redisLane, r.failsOver((*redistest.Node).CutOff, (*redistest.Node).Rejoin)},
		{"primary half open", redisLane, r.failsOver(
			func(old *redistest.Node) { old.Proxy.Suffer(redistest.Weather{Hold: true}) },
			func(old *redistest.Node) { old.Proxy.Suffer(redistest.Weather{}) })},
	}
	return r
}

// follow says whether all but the primary follow it.
func (r *replicated) follow(primary *redistest.Node) bool {
	_, port, _ := net.SplitHostPort(primary.Proxy.Addr)
	for _, node := range r.nodes {
		info := replication(node)
		switch {
		case node == primary && !strings.Contains(info, "role:master"),
			node != primary && !strings.Contains(info, "master_link_status:up"),
			node != primary && !strings.Contains(info, "master_port:"+port):
			return false
		}
	}
	return true
}

func replication(node *redistest.Node) string {
	client := node.Client()
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	return client.Info(ctx, "replication").Val()
}

func startCluster(t testing.TB, durability string, args ...string) *replicated {
	c := redistest.StartCluster(t, 1, args...)
	// In a Cluster a server blocks once for each of the 16 buckets, wherever they are.
	r := &replicated{nodes: c.Nodes, address: c.URL(), replicas: 1, most: redisMost + 16, lossy: durability == "memory"}
	r.some = func(b *blow) *redistest.Node { return c.Primary(bucketKey(b)) }
	r.promoted, r.failed, r.whole = c.AwaitFailover, c.AwaitFailover, c.AwaitWhole
	r.own = []fault{{"slot moved", redisLane, func(b *blow) {
		key := bucketKey(b)
		for {
			if to := c.Primary(bucketKey(b)); to != c.Primary(key) {
				c.MoveSlot(key, to)
				return
			}
		}
	}}}
	return r
}

// bucketKey is a key of one of the buckets that rooms are spread over.
func bucketKey(b *blow) string { return "{" + string("0123456789"[b.random.IntN(10)]) + "}:any" }

func (r *replicated) url(int) string               { return r.address }
func (r *replicated) networks() []*redistest.Proxy { return nil }
func (r *replicated) awaitWhole()                  { r.whole() }
func (r *replicated) loses() bool                  { return r.lossy }
func (r *replicated) limits() (int, int)           { return r.replicas, r.most }

func (r *replicated) primaries() (found []*redistest.Server) {
	for _, node := range r.nodes {
		if strings.Contains(replication(node), "role:master") {
			found = append(found, node.Server)
		}
	}
	return found
}

// faults of a replicated Redis may all end in a failover, so they are in one lane, and
// each waits until everything is whole again. A primary that was away is not let back
// before its successor has the other replica: together these two would go on
// acknowledging, and lose it.
func (r *replicated) faults() []fault {
	faults := append([]fault{
		{"primary killed", redisLane, r.failsOver((*redistest.Node).Kill, func(old *redistest.Node) { old.Restart() })},
		{"primary paused", redisLane, r.failsOver((*redistest.Node).Pause, (*redistest.Node).Resume)},
		{"replicas shut out", redisLane, func(b *blow) {
			primary := r.some(b)
			primary.ShutOutReplicas()
			b.rest()
			primary.LetReplicasIn()
		}},
	}, r.own...)
	primary := func(b *blow) *redistest.Proxy { return r.some(b).Proxy }
	faults = append(faults, networkFaults(redisLane, "network to a primary", primary)[:3]...) // those that end no primary
	for i, one := range faults {
		faults[i].do = func(b *blow) {
			defer b.doubt()()
			one.do(b)
			r.whole()
		}
	}
	return faults
}

// failsOver has a primary away until another took over, and some longer.
func (r *replicated) failsOver(harm, mend func(*redistest.Node)) func(*blow) {
	return func(b *blow) {
		old := r.some(b)
		harm(old)
		r.failed(old)
		b.rest()
		mend(old)
	}
}
