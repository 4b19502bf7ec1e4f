package redistest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"burble/streams/conns"

	"github.com/redis/go-redis/v9"
)

// slots is the number of hash slots in a Redis Cluster.
const slots = 16384

// A Cluster is a Redis Cluster of three primaries, which share the slots, and their replicas. If a
// primary does not answer for 1.5 seconds, a replica takes over. The whole failover takes three to five
// seconds.
//
//	c := redistest.StartCluster(t, 1)
//	old := c.Primary("{3}:room:lobby")
//	old.Kill() // or old.Pause()
//	c.AwaitFailover(old)
//	old.Restart() // or old.Resume()
//
// The cluster bus bypasses the proxies. After CutOff, clients and replicas cannot reach a node, but there is
// no failover, because the other nodes still can.
type Cluster struct {
	Nodes []*Node // the primaries, then their replicas in the same order

	t testing.TB
}

// StartCluster starts a Cluster with the given number of replicas for each primary, and additional
// arguments for redis-server. It returns when the Cluster accepts writes. That takes two seconds,
// because a primary waits that long after it has started. The Cluster stops at the end of the test.
func StartCluster(t testing.TB, replicas int, args ...string) *Cluster {
	t.Helper()
	c := &Cluster{t: t}
	buses := make([]int, 3*(1+replicas))
	for i := range buses {
		node := newNode(t)
		node.id = nodeID()
		c.Nodes = append(c.Nodes, node)
		buses[i] = FreePort(t)
	}
	for i, node := range c.Nodes {
		c.configure(node, buses)
		own := []string{
			"--cluster-enabled", "yes", "--cluster-node-timeout", "1500", "--cluster-replica-validity-factor", "0",
			"--cluster-announce-ip", "127.0.0.1", "--cluster-announce-port", port(node.Proxy.Addr),
			"--cluster-port", fmt.Sprint(buses[i]), "--cluster-announce-bus-port", fmt.Sprint(buses[i]),
		}
		node.launch(append(own, args...)...)
	}
	c.AwaitComplete()
	return c
}

// configure writes the node's nodes.conf, because discovering the other nodes would take longer.
func (c *Cluster) configure(node *Node, buses []int) {
	c.t.Helper()
	var config strings.Builder
	for i, other := range c.Nodes {
		flags, primary, epoch, served := "master", "-", i+1, ""
		if i < 3 {
			served = fmt.Sprintf(" %d-%d", i*slots/3, (i+1)*slots/3-1)
		} else {
			flags, primary, epoch = "slave", c.Nodes[i%3].id, i%3+1
		}
		if other == node {
			flags = "myself," + flags
		}
		fmt.Fprintf(&config, "%s 127.0.0.1:%s@%d %s %s 0 0 %d connected%s\n",
			other.id, port(other.Proxy.Addr), buses[i], flags, primary, epoch, served)
	}
	config.WriteString("vars currentEpoch 3 lastVoteEpoch 0\n")
	if err := os.WriteFile(filepath.Join(node.folder, "nodes.conf"), []byte(config.String()), 0o600); err != nil {
		c.t.Fatal(err)
	}
}

// nodeID returns a random ID in the form that Redis uses.
func nodeID() string {
	id := make([]byte, 20)
	rand.Read(id)
	return hex.EncodeToString(id)
}

// status returns a node's role. isComplete reports whether the node considers the Cluster writable
// and, if it is a replica, is connected to its primary.
func (c *Cluster) status(ctx context.Context, node *Node) (role string, isComplete bool) {
	client := node.Client()
	defer client.Close()
	info := client.ClusterInfo(ctx).Val() + client.Info(ctx, "replication").Val()
	role = "master"
	if strings.Contains(info, "role:slave") {
		role, isComplete = "slave", strings.Contains(info, "master_link_status:up")
	} else {
		isComplete = strings.Contains(info, "role:master")
	}
	return role, isComplete && strings.Contains(info, "cluster_state:ok") &&
		strings.Contains(info, fmt.Sprint("cluster_slots_ok:", slots))
}

// Redis returns the address of the Cluster.
func (c *Cluster) Redis() *conns.Address {
	address := &conns.Address{IsClusterMode: true}
	for _, node := range c.Nodes {
		address.Addrs = append(address.Addrs, node.Proxy.Addr)
	}
	return address
}

// URL returns a REDIS_URL for the Cluster.
func (c *Cluster) URL() string {
	return "redis://" + strings.Join(c.Redis().Addrs, ",redis://")
}

// Primary returns the primary that serves the key.
func (c *Cluster) Primary(key string) *Node {
	c.t.Helper()
	slot := c.Slot(key)
	for _, node := range c.Nodes {
		if id := c.ownerAccordingTo(node, slot); id != "" {
			return c.node(id)
		}
	}
	c.t.Fatalf("no node serves %q", key)
	return nil
}

// Slot returns the hash slot of the key.
func (c *Cluster) Slot(key string) int {
	c.t.Helper()
	var slot int64
	await(c.t, "the slot of a key", func(ctx context.Context) bool {
		for _, node := range c.Nodes {
			client := node.Client()
			defer client.Close()
			var err error
			if slot, err = client.ClusterKeySlot(ctx, key).Result(); err == nil {
				return true
			}
		}
		return false
	})
	return int(slot)
}

// ownerAccordingTo returns the ID of the primary that serves the slot according to one node. It
// returns "" if that node does not answer.
func (c *Cluster) ownerAccordingTo(node *Node, slot int) (id string) {
	client := node.Client()
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), queryTimeout)
	defer cancel()
	for _, slots := range slotRanges(ctx, client) {
		if slots.Start <= slot && slot <= slots.End {
			return slots.Nodes[0].ID
		}
	}
	return ""
}

// slotRanges returns the ranges of slots with their nodes, according to one node.
func slotRanges(ctx context.Context, client Client) []redis.ClusterSlot {
	// CLUSTER SHARDS, the successor of CLUSTER SLOTS, also lists failed nodes.
	return client.ClusterSlots(ctx).Val()
}

func (c *Cluster) node(id string) *Node {
	for _, node := range c.Nodes {
		if node.id == id {
			return node
		}
	}
	return nil
}

// AwaitFailover waits until all nodes except the old one consider the Cluster writable without the
// old one.
func (c *Cluster) AwaitFailover(old *Node) {
	c.t.Helper()
	await(c.t, "a failover", func(ctx context.Context) bool {
		for _, node := range c.Nodes {
			if node == old {
				continue
			}
			client := node.Client()
			defer client.Close()
			for _, slots := range slotRanges(ctx, client) {
				if slots.Nodes[0].ID == old.id {
					return false
				}
			}
			if !strings.Contains(client.ClusterInfo(ctx).Val(), "cluster_state:ok") {
				return false
			}
		}
		return true
	})
}

// AwaitComplete waits until three nodes are primaries, and the other nodes are replicas that are
// connected to them.
func (c *Cluster) AwaitComplete() {
	c.t.Helper()
	await(c.t, "the cluster to be complete", func(ctx context.Context) bool {
		primaries := 0
		for _, node := range c.Nodes {
			role, isComplete := c.status(ctx, node)
			if !isComplete {
				return false
			}
			if role == "master" {
				primaries++
			}
		}
		return primaries == 3
	})
}

// MoveSlot moves the key's slot to another primary, ten keys at a time, like a resharding tool.
func (c *Cluster) MoveSlot(key string, to *Node) {
	c.t.Helper()
	slot, from := c.Slot(key), c.Primary(key)
	to.do("CLUSTER", "SETSLOT", slot, "IMPORTING", from.id)
	from.do("CLUSTER", "SETSLOT", slot, "MIGRATING", to.id)
	for {
		keys, _ := from.do("CLUSTER", "GETKEYSINSLOT", slot, 10).([]any)
		if len(keys) == 0 {
			break
		}
		from.do(append([]any{"MIGRATE", "127.0.0.1", port(to.Addr), "", 0, 5000, "KEYS"}, keys...)...)
	}
	to.do("CLUSTER", "SETSLOT", slot, "NODE", to.id)
	for _, node := range c.Nodes {
		if node != to && node.role() == "master" {
			node.do("CLUSTER", "SETSLOT", slot, "NODE", to.id)
		}
	}
}
