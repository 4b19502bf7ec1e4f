package redistest

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// Sentinel is a primary with two replicas, and three sentinels that watch over them.
// When two of these have missed the primary for a second, they make a replica the
// primary and tell everybody; that takes two to five seconds in all. Whoever was the
// primary becomes a replica when it is seen again, and loses what the new one lacks.
//
//	s := redistest.StartSentinel(t)
//	old := s.Primary()
//	old.Kill() // or old.Pause(), old.CutOff()
//	s.AwaitFailover(old)
//	old.Restart() // or old.Resume(), old.Rejoin()
type Sentinel struct {
	Nodes     []*Node   // the first one begins as the primary
	Sentinels []*Server // any two suffice for a failover

	t testing.TB
}

// masterName is what the sentinels call what they watch.
const masterName = "burble"

// StartSentinel starts a Sentinel whose nodes get more arguments as redis-server
// takes them. It is whole when it is returned, and ends with the test.
func StartSentinel(t testing.TB, args ...string) *Sentinel {
	t.Helper()
	s := &Sentinel{t: t}
	for i := range 3 {
		node := newNode(t)
		s.Nodes = append(s.Nodes, node)
		own := []string{"--replica-announce-ip", "127.0.0.1", "--replica-announce-port", port(node.Proxy.Addr)}
		if i > 0 {
			own = append(own, "--replicaof", "127.0.0.1", port(s.Nodes[0].Proxy.Addr))
		}
		node.launch(append(own, args...)...)
	}
	s.awaitReplicas()
	s.startSentinels()
	await(t, "the sentinels to agree", func(ctx context.Context) bool {
		for i := range s.Sentinels {
			if !s.knowsAll(ctx, i) {
				return false
			}
		}
		return true
	})
	return s
}

// awaitReplicas waits until the first node has its replicas, and they have what it has:
// one that is called online may be sent nothing yet.
func (s *Sentinel) awaitReplicas() {
	client := s.Nodes[0].Client()
	defer client.Close()
	conn := client.Conn()
	defer conn.Close()
	await(s.t, "the replicas", func(ctx context.Context) bool {
		conn.Set(ctx, "is anybody there", "", time.Millisecond)
		return conn.Wait(ctx, len(s.Nodes)-1, time.Second).Val() == int64(len(s.Nodes)-1)
	})
}

// startSentinels writes into the configuration of each what it would find out about the
// others within some seconds.
func (s *Sentinel) startSentinels() {
	ids := make([]string, 3)
	for i := range ids {
		ids[i] = nodeID()
		s.Sentinels = append(s.Sentinels, &Server{
			Addr: net.JoinHostPort("127.0.0.1", strconv.Itoa(FreePort(s.t))),
			t:    s.t, program: find(s.t), folder: tempDir(s.t),
		})
	}
	for i, sentinel := range s.Sentinels {
		var config strings.Builder
		say := func(format string, args ...any) { fmt.Fprintf(&config, format+"\n", args...) }
		say("port %s\nbind 127.0.0.1\ndir %s\nsentinel myid %s", port(sentinel.Addr), sentinel.folder, ids[i])
		say("sentinel monitor %s 127.0.0.1 %s 2", masterName, port(s.Nodes[0].Proxy.Addr))
		say("sentinel down-after-milliseconds %s 1000\nsentinel failover-timeout %s 4000", masterName, masterName)
		say("sentinel parallel-syncs %s 2", masterName)
		for _, replica := range s.Nodes[1:] {
			say("sentinel known-replica %s 127.0.0.1 %s", masterName, port(replica.Proxy.Addr))
		}
		for j, other := range s.Sentinels {
			if j != i {
				say("sentinel known-sentinel %s 127.0.0.1 %s %s", masterName, port(other.Addr), ids[j])
			}
		}
		path := filepath.Join(sentinel.folder, "sentinel.conf")
		if err := os.WriteFile(path, []byte(config.String()), 0o600); err != nil {
			s.t.Fatal(err)
		}
		sentinel.args = []string{path, "--sentinel"}
		sentinel.Restart()
		s.t.Cleanup(sentinel.Kill)
		hasten(sentinel)
	}
}

// hasten has a sentinel look around more often than it would: who comes back is
// noticed in a second instead of ten.
func hasten(sentinel *Server) {
	sentinel.t.Helper()
	client := sentinel.Client()
	defer client.Close()
	err := client.Do(context.Background(), "SENTINEL", "DEBUG",
		"PUBLISH-PERIOD", 250, "INFO-PERIOD", 500, "PING-PERIOD", 200, "ELECTION-TIMEOUT", 2000, "TILT-PERIOD", 1000).Err()
	if err != nil {
		sentinel.t.Fatal(err)
	}
}

// knowsAll says whether one sentinel sees all that there is.
func (s *Sentinel) knowsAll(ctx context.Context, i int) bool {
	client := s.Sentinels[i].Client()
	defer client.Close()
	reply, err := client.Do(ctx, "SENTINEL", "CKQUORUM", masterName).Text()
	return err == nil && strings.HasPrefix(reply, "OK 3 usable")
}

// Redis is where a Store finds the primary, whichever it is.
func (s *Sentinel) Redis() *redis.UniversalOptions {
	options := &redis.UniversalOptions{MasterName: masterName}
	for _, sentinel := range s.Sentinels {
		options.Addrs = append(options.Addrs, sentinel.Addr)
	}
	return options
}

// URL is what REDIS_URL is for it.
func (s *Sentinel) URL() string {
	return "redis-sentinel://" + strings.Join(s.Redis().Addrs, ",") + "/" + masterName
}

// Primary is the node that most of the sentinels take for the primary.
func (s *Sentinel) Primary() *Node {
	s.t.Helper()
	named := make(map[string]int)
	most := ""
	for i := range s.Sentinels {
		addr := s.named(i)
		if named[addr]++; addr != "" && named[addr] > named[most] {
			most = addr
		}
	}
	for _, node := range s.Nodes {
		if node.Proxy.Addr == most {
			return node
		}
	}
	s.t.Fatalf("no sentinel knows a primary: %v", named)
	return nil
}

// named is the address that one sentinel gives for the primary, "" if it does not answer.
func (s *Sentinel) named(i int) string {
	client := redis.NewSentinelClient(&redis.Options{Addr: s.Sentinels[i].Addr, MaxRetries: -1, DialerRetries: 1, DisableIdentity: true})
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), askTime)
	defer cancel()
	addr, err := client.GetMasterAddrByName(ctx, masterName).Result()
	if err != nil {
		return ""
	}
	return net.JoinHostPort(addr[0], addr[1])
}

// FailOver has the sentinels make another node the primary though nothing is wrong, as
// for an upgrade. It does not wait for it.
func (s *Sentinel) FailOver() {
	s.t.Helper()
	client := s.Sentinels[0].Client()
	defer client.Close()
	if err := client.Do(context.Background(), "SENTINEL", "FAILOVER", masterName).Err(); err != nil {
		s.t.Fatal(err)
	}
}

// AwaitFailover waits until another node than the old one is the primary and takes
// writes, and returns it.
func (s *Sentinel) AwaitFailover(old *Node) *Node {
	s.t.Helper()
	primary := old
	await(s.t, "a failover", func(context.Context) bool {
		primary = s.Primary()
		return primary != old && primary.role() == "master"
	})
	return primary
}

// AwaitReplica waits until the node replicates from the primary and has all it had: one
// whose link is up may have been sent nothing yet.
func (s *Sentinel) AwaitReplica(node *Node) {
	s.t.Helper()
	client := node.Client()
	defer client.Close()
	had := int64(-1)
	await(s.t, "the node to be a replica", func(ctx context.Context) bool {
		primary := s.Primary()
		info := client.Info(ctx, "replication").Val()
		if !strings.Contains(info, "master_link_status:up") || !strings.Contains(info, "master_port:"+cmp.Or(port(primary.Proxy.Addr), "?")) {
			return false
		}
		if had < 0 {
			its := primary.Client()
			defer its.Close()
			had = offset(its.Info(ctx, "replication").Val(), "master_repl_offset:")
		}
		return had >= 0 && offset(info, "slave_repl_offset:") >= had
	})
}

// offset is a number of INFO, -1 if it is not there.
func offset(info, name string) int64 {
	_, after, _ := strings.Cut(info, name)
	text, _, _ := strings.Cut(after, "\r")
	number, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return -1
	}
	return number
}
