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

	"github.com/redis/go-redis/v9"
)

// slots is how many hash slots a Redis Cluster has.
const slots = 16384

// Cluster is a Redis Cluster of three primaries that share the slots, and perhaps a
// replica of each. When a primary has been silent for 1.5 seconds, its replica takes over;
// that takes three to five seconds in all.
//
//	c := redistest.StartCluster(t, 1)
//	old := c.Primary("{3}:room:lobby")
//	old.Kill() // or old.Pause()
//	c.AwaitFailover(old)
//	old.Restart() // or old.Resume()
//
// The nodes speak among themselves past their proxies. So a node that is CutOff is
// away for clients and its replicas, and is not failed over.
type Cluster struct {
	Nodes []*Node // the primaries, then their replicas in the same order

	t testing.TB
}

// StartCluster starts a Cluster whose three primaries have so many replicas each. It
// takes writes when it is returned, and ends with the test.
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
	c.AwaitWhole()
	return c
}

// configure writes down for the node what it would learn by being introduced to the
// others, much later.
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

// nodeID is an ID as Redis makes them.
func nodeID() string {
	id := make([]byte, 20)
	rand.Read(id)
	return hex.EncodeToString(id)
}

// look says what a node is, and whether it finds the Cluster fit for writing and itself
// in step with its primary, if it is a replica.
func (c *Cluster) look(ctx context.Context, node *Node) (role string, whole bool) {
	client := node.Client()
	defer client.Close()
	info := client.ClusterInfo(ctx).Val() + client.Info(ctx, "replication").Val()
	role = "master"
	if strings.Contains(info, "role:slave") {
		role, whole = "slave", strings.Contains(info, "master_link_status:up")
	} else {
		whole = strings.Contains(info, "role:master")
	}
	return role, whole && strings.Contains(info, "cluster_state:ok") &&
		strings.Contains(info, fmt.Sprint("cluster_slots_ok:", slots))
}

// Redis is where a Store finds the Cluster.
func (c *Cluster) Redis() *redis.UniversalOptions {
	options := &redis.UniversalOptions{IsClusterMode: true}
	for _, node := range c.Nodes {
		options.Addrs = append(options.Addrs, node.Proxy.Addr)
	}
	return options
}

// URL is what REDIS_URL is for it.
func (c *Cluster) URL() string {
	return "redis://" + strings.Join(c.Redis().Addrs, ",redis://")
}

// Primary is the node that serves the key.
func (c *Cluster) Primary(key string) *Node {
	c.t.Helper()
	slot := c.Slot(key)
	for _, asked := range c.Nodes {
		if id := c.serves(asked, slot); id != "" {
			return c.node(id)
		}
	}
	c.t.Fatalf("nobody serves %q", key)
	return nil
}

// Slot is the hash slot of the key.
func (c *Cluster) Slot(key string) int {
	c.t.Helper()
	var slot int64
	await(c.t, "anybody who can count", func(ctx context.Context) bool {
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

// serves is who serves the slot by what one node knows, "" if that does not answer.
func (c *Cluster) serves(asked *Node, slot int) (id string) {
	client := asked.Client()
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), askTime)
	defer cancel()
	for _, stretch := range served(ctx, client) {
		if stretch.Start <= slot && slot <= stretch.End {
			return stretch.Nodes[0].ID
		}
	}
	return ""
}

// served is who serves which slots by what a node knows.
func served(ctx context.Context, client *redis.Client) []redis.ClusterSlot {
	//lint:ignore SA1019 CLUSTER SHARDS names nodes that failed as well
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

// AwaitFailover waits until everybody but the old node finds the Cluster fit for
// writing without it.
func (c *Cluster) AwaitFailover(old *Node) {
	c.t.Helper()
	await(c.t, "a failover", func(ctx context.Context) bool {
		for _, node := range c.Nodes {
			if node == old {
				continue
			}
			client := node.Client()
			defer client.Close()
			for _, stretch := range served(ctx, client) {
				if stretch.Nodes[0].ID == old.id {
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

// AwaitWhole waits until every node is there, three of them primaries and the others
// in step with theirs.
func (c *Cluster) AwaitWhole() {
	c.t.Helper()
	await(c.t, "the cluster to be whole", func(ctx context.Context) bool {
		primaries := 0
		for _, node := range c.Nodes {
			role, whole := c.look(ctx, node)
			if !whole {
				return false
			}
			if role == "master" {
				primaries++
			}
		}
		return primaries == 3
	})
}

// MoveSlot moves the key's slot to another primary, a few keys at a time, as the
// tools for resharding do.
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
