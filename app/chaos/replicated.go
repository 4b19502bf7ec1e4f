//go:build unix

package chaos

import (
	"context"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"burble/streams/conns"
	"burble/streams/redistest"
)

// replicated is a Redis with replicas and automatic failover: Sentinel or Cluster.
type replicated struct {
	nodes         []*redistest.Node
	address       string
	redisAddress  *conns.Address
	replicas      int                                // of each primary
	connections   int                                // maximum from one server to one primary
	awaitInSync   func()                             // waits until all nodes run and the replicas follow the primaries
	awaitPromoted func(old *redistest.Node)          // waits until a replica has taken over
	awaitReplaced func(old *redistest.Node)          // waits until a replica has taken over and the other replica, if any, follows it
	pickPrimary   func(i *injection) *redistest.Node // returns one of the primaries
	ownFaults     []fault
	lossy         bool

	failovers         atomic.Int64 // failovers so far; counted only with Sentinel
	intendedFailovers atomic.Int64 // failovers that faults caused
}

func startSentinel(t testing.TB, durability string, args ...string) *replicated {
	s := redistest.StartSentinel(t, args...)
	r := &replicated{nodes: s.Nodes, address: s.URL(), redisAddress: s.Redis(), replicas: 2, connections: maxConnections, lossy: durability == "memory"}
	s.WatchFailovers(func() { r.failovers.Add(1) })
	r.pickPrimary = func(*injection) *redistest.Node { return s.Primary() }
	r.awaitPromoted = func(old *redistest.Node) { s.AwaitFailover(old) }
	r.awaitReplaced = func(old *redistest.Node) {
		primary := s.AwaitFailover(old)
		for _, node := range s.Nodes {
			if node != old && node != primary {
				s.AwaitReplica(node)
			}
		}
	}
	r.awaitInSync = func() {
		for deadline := time.Now().Add(time.Minute); !r.allFollow(s.Primary()); time.Sleep(50 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Error("the replicas do not follow the primary after a minute")
				return
			}
		}
	}
	r.ownFaults = []fault{
		{"primary cut off", redisProcess, r.failOver((*redistest.Node).CutOff, (*redistest.Node).Rejoin)},
		{"primary half open", redisProcess, r.failOver(
			func(old *redistest.Node) { old.Proxy.SetFaults(redistest.Faults{Stall: true}) },
			func(old *redistest.Node) { old.Proxy.SetFaults(redistest.Faults{}) })},
	}
	return r
}

// allFollow reports whether all other nodes follow the primary.
func (r *replicated) allFollow(primary *redistest.Node) bool {
	_, port, _ := net.SplitHostPort(primary.Proxy.Addr)
	for _, node := range r.nodes {
		info := replicationInfo(node)
		switch {
		case node == primary && !strings.Contains(info, "role:master"),
			node != primary && !strings.Contains(info, "master_link_status:up"),
			node != primary && !strings.Contains(info, "master_port:"+port):
			return false
		}
	}
	return true
}

func replicationInfo(node *redistest.Node) string {
	client := node.Client()
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	return client.Info(ctx, "replication").Val()
}

func startCluster(t testing.TB, durability string, args ...string) *replicated {
	c := redistest.StartCluster(t, 1, args...)
	// In a Cluster, a server has a blocking read for each of the 16 buckets, and one node may have
	// all of them.
	r := &replicated{nodes: c.Nodes, address: c.URL(), redisAddress: c.Redis(), replicas: 1, connections: maxConnections + 16, lossy: durability == "memory"}
	r.pickPrimary = func(i *injection) *redistest.Node { return c.Primary(bucketKey(i)) }
	r.awaitPromoted, r.awaitReplaced, r.awaitInSync = c.AwaitFailover, c.AwaitFailover, c.AwaitComplete
	r.ownFaults = []fault{{"slot moved", redisProcess, func(i *injection) {
		key := bucketKey(i)
		from := c.Primary(key)
		others := slices.DeleteFunc(r.primaryNodes(), func(node *redistest.Node) bool { return node == from })
		if len(others) > 0 { // a busy node may not have answered in time
			c.MoveSlot(key, others[i.random.IntN(len(others))])
		}
	}}}
	return r
}

// bucketKey returns a key in one of the buckets of rooms.
func bucketKey(i *injection) string { return "{" + string("0123456789"[i.random.IntN(10)]) + "}:any" }

func (r *replicated) directAddress() *conns.Address { return r.redisAddress }
func (r *replicated) url(int) string                { return r.address }
func (r *replicated) networks() []*redistest.Proxy  { return nil }
func (r *replicated) awaitHealthy()                 { r.awaitInSync() }
func (r *replicated) mayLose() bool                 { return r.lossy }
func (r *replicated) expectedCounts() (int, int)    { return r.replicas, r.connections }

func (r *replicated) primaries() (found []*redistest.Server) {
	for _, node := range r.primaryNodes() {
		found = append(found, node.Server)
	}
	return found
}

func (r *replicated) primaryNodes() (found []*redistest.Node) {
	for _, node := range r.nodes {
		if strings.Contains(replicationInfo(node), "role:master") {
			found = append(found, node)
		}
	}
	return found
}

// faults returns the faults of a replicated Redis. They happen one at a time, because most cause a failover or hold up
// replication. Each waits until all replicas follow again. An old primary rejoins only after the other replica follows
// the new primary. Otherwise the old primary and that replica would acknowledge more writes, which would then be lost.
func (r *replicated) faults() []fault {
	faults := append([]fault{
		{"primary killed", redisProcess, r.failOver((*redistest.Node).Kill, func(old *redistest.Node) { old.Restart() })},
		{"primary paused", redisProcess, r.failOver((*redistest.Node).Pause, (*redistest.Node).Resume)},
		{"replicas shut out", redisProcess, func(i *injection) {
			primary := r.pickPrimary(i)
			primary.RejectReplicas()
			i.waitForEnd()
			primary.AdmitReplicas()
		}},
	}, r.ownFaults...)
	primary := func(i *injection) *redistest.Proxy { return r.pickPrimary(i).Proxy }
	faults = append(faults, networkFaults(redisProcess, "network to a primary", primary)[:3]...) // the ones that cause no failover
	for n, fault := range faults {
		faults[n].inject = func(i *injection) {
			defer i.beginFailover()()
			fault.inject(i)
			r.awaitInSync()
		}
	}
	return faults
}

// failOver returns a fault that makes a primary unreachable until shortly after another one has taken
// over.
func (r *replicated) failOver(disable, restore func(*redistest.Node)) func(*injection) {
	return func(i *injection) {
		old := r.pickPrimary(i)
		r.intendedFailovers.Add(1)
		disable(old)
		r.awaitReplaced(old)
		i.waitForEnd()
		restore(old)
	}
}
