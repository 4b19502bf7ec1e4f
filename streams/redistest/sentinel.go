package redistest

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"burble/streams/conns"
)

// A SentinelDeployment is a primary and two replicas that three Sentinels monitor. If two Sentinels
// cannot reach the primary for a second, they promote a replica. The whole failover takes two to five
// seconds. When the old primary comes back, it becomes a replica and loses the data that the new primary
// does not have.
//
//	s := redistest.StartSentinel(t)
//	old := s.Primary()
//	old.Kill() // or old.Pause(), old.CutOff()
//	s.AwaitFailover(old)
//	old.Restart() // or old.Resume(), old.Rejoin()
type SentinelDeployment struct {
	Nodes     []*Node   // the first one starts as the primary
	Sentinels []*Server // two can start a failover

	t testing.TB
}

// masterName is the name of the primary in the configuration of the Sentinels.
const masterName = "burble"

// StartSentinel starts a SentinelDeployment, with additional arguments for the redis-server of each node.
// It returns when the replicas and the Sentinels are connected. Everything stops at the end of the test.
func StartSentinel(t testing.TB, args ...string) *SentinelDeployment {
	t.Helper()
	s := &SentinelDeployment{t: t}
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
	await(t, "the Sentinels to agree", func(ctx context.Context) bool {
		for i := range s.Sentinels {
			if !s.hasQuorum(ctx, i) {
				return false
			}
		}
		return true
	})
	return s
}

// awaitReplicas waits until the replicas have the first node's data. A replica may be online before it
// has received any data.
func (s *SentinelDeployment) awaitReplicas() {
	client := s.Nodes[0].Client()
	defer client.Close()
	await(s.t, "the replicas to have the primary's data", func(ctx context.Context) bool {
		pipe := client.Pipeline() // over one connection, because WAIT waits only for its writes
		pipe.Set(ctx, "awaited", "", time.Millisecond)
		wait := pipe.Do(ctx, "WAIT", len(s.Nodes)-1, 1000)
		pipe.Exec(ctx)
		replicas, _ := wait.Int()
		return replicas == len(s.Nodes)-1
	})
}

// startSentinels starts the Sentinels. Their configuration lists the other Sentinels and the replicas,
// because discovering these would take seconds.
func (s *SentinelDeployment) startSentinels() {
	ids := make([]string, 3)
	for i := range ids {
		ids[i] = nodeID()
		s.Sentinels = append(s.Sentinels, &Server{
			Addr: net.JoinHostPort("127.0.0.1", strconv.Itoa(FreePort(s.t))),
			t:    s.t, program: findServer(s.t), folder: tempDir(s.t),
		})
	}
	for i, sentinel := range s.Sentinels {
		var config strings.Builder
		writeLine := func(format string, args ...any) { fmt.Fprintf(&config, format+"\n", args...) }
		writeLine("port %s\nbind 127.0.0.1\ndir %s\nsentinel myid %s", port(sentinel.Addr), sentinel.folder, ids[i])
		writeLine("sentinel monitor %s 127.0.0.1 %s 2", masterName, port(s.Nodes[0].Proxy.Addr))
		writeLine("sentinel down-after-milliseconds %s 1000\nsentinel failover-timeout %s 4000", masterName, masterName)
		writeLine("sentinel parallel-syncs %s 2", masterName)
		for _, replica := range s.Nodes[1:] {
			writeLine("sentinel known-replica %s 127.0.0.1 %s", masterName, port(replica.Proxy.Addr))
		}
		for j, other := range s.Sentinels {
			if j != i {
				writeLine("sentinel known-sentinel %s 127.0.0.1 %s %s", masterName, port(other.Addr), ids[j])
			}
		}
		path := filepath.Join(sentinel.folder, "sentinel.conf")
		if err := os.WriteFile(path, []byte(config.String()), 0o600); err != nil {
			s.t.Fatal(err)
		}
		sentinel.args = []string{path, "--sentinel"}
		sentinel.Restart()
		s.t.Cleanup(sentinel.Kill)
		speedUp(sentinel)
	}
}

// speedUp makes a Sentinel poll more often, so that it notices a returning node within one second
// instead of ten.
func speedUp(sentinel *Server) {
	sentinel.t.Helper()
	client := sentinel.Client()
	defer client.Close()
	err := client.Do(context.Background(), "SENTINEL", "DEBUG",
		"PUBLISH-PERIOD", 250, "INFO-PERIOD", 500, "PING-PERIOD", 200, "ELECTION-TIMEOUT", 2000, "TILT-PERIOD", 1000).Err()
	if err != nil {
		sentinel.t.Fatal(err)
	}
}

// hasQuorum reports whether the Sentinel with index i can reach all others.
func (s *SentinelDeployment) hasQuorum(ctx context.Context, i int) bool {
	client := s.Sentinels[i].Client()
	defer client.Close()
	reply, err := client.Do(ctx, "SENTINEL", "CKQUORUM", masterName).Text()
	return err == nil && strings.HasPrefix(reply, "OK 3 usable")
}

// Redis returns the address of the current primary, as the Sentinels report it.
func (s *SentinelDeployment) Redis() *conns.Address {
	address := &conns.Address{MasterName: masterName}
	for _, sentinel := range s.Sentinels {
		address.Addrs = append(address.Addrs, sentinel.Addr)
	}
	return address
}

// URL returns a REDIS_URL for the Sentinels.
func (s *SentinelDeployment) URL() string {
	return "redis-sentinel://" + strings.Join(s.Redis().Addrs, ",") + "/" + masterName
}

// Primary returns the node that most Sentinels report as the primary.
func (s *SentinelDeployment) Primary() *Node {
	s.t.Helper()
	votes := make(map[string]int)
	most := ""
	for i := range s.Sentinels {
		addr := s.primaryAccordingTo(i)
		if votes[addr]++; addr != "" && votes[addr] > votes[most] {
			most = addr
		}
	}
	for _, node := range s.Nodes {
		if node.Proxy.Addr == most {
			return node
		}
	}
	s.t.Fatalf("no Sentinel reports a primary: got %v", votes)
	return nil
}

// primaryAccordingTo returns the primary's address according to one Sentinel, or "" if that Sentinel
// does not answer.
func (s *SentinelDeployment) primaryAccordingTo(i int) string {
	client := s.Sentinels[i].Client()
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), queryTimeout)
	defer cancel()
	addr, err := client.Do(ctx, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", masterName).StringSlice()
	if err != nil || len(addr) != 2 {
		return ""
	}
	return net.JoinHostPort(addr[0], addr[1])
}

// FailOver starts a failover of a healthy primary, as for an upgrade, without waiting for its end.
func (s *SentinelDeployment) FailOver() {
	s.t.Helper()
	client := s.Sentinels[0].Client()
	defer client.Close()
	if err := client.Do(context.Background(), "SENTINEL", "FAILOVER", masterName).Err(); err != nil {
		s.t.Fatal(err)
	}
}

// WatchFailovers calls failedOver after each failover, until the end of the test.
func (s *SentinelDeployment) WatchFailovers(failedOver func()) {
	s.t.Helper()
	conn, err := net.Dial("tcp", s.Sentinels[0].Addr)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { conn.Close() })
	io.WriteString(conn, "SUBSCRIBE +switch-master\r\n")
	lines := bufio.NewScanner(conn)
	for lines.Scan() && lines.Text() != "subscribe" {
	}
	if err := lines.Err(); err != nil {
		s.t.Fatal(err)
	}
	go func() {
		for lines.Scan() {
			if lines.Text() == "message" {
				failedOver()
			}
		}
	}()
}

// AwaitFailover waits until a node other than old is the primary and accepts writes, and
// returns it.
func (s *SentinelDeployment) AwaitFailover(old *Node) *Node {
	s.t.Helper()
	primary := old
	await(s.t, "a failover", func(context.Context) bool {
		primary = s.Primary()
		return primary != old && primary.role() == "master"
	})
	return primary
}

// AwaitReplica waits until the node is a replica of the primary and has caught up with the data that the
// primary has now. A replica's link may be up before the replica has received any data.
func (s *SentinelDeployment) AwaitReplica(node *Node) {
	s.t.Helper()
	client := node.Client()
	defer client.Close()
	wantOffset := int64(-1)
	await(s.t, "the node to be a replica", func(ctx context.Context) bool {
		primary := s.Primary()
		info := client.Info(ctx, "replication").Val()
		if !strings.Contains(info, "master_link_status:up") || !strings.Contains(info, "master_port:"+cmp.Or(port(primary.Proxy.Addr), "?")) {
			return false
		}
		if wantOffset < 0 {
			primaryClient := primary.Client()
			defer primaryClient.Close()
			wantOffset = numberAfter(primaryClient.Info(ctx, "replication").Val(), "master_repl_offset:")
		}
		return wantOffset >= 0 && numberAfter(info, "slave_repl_offset:") >= wantOffset
	})
}

// numberAfter returns the number after name in a reply to INFO, or -1 if there is none.
func numberAfter(info, name string) int64 {
	_, after, _ := strings.Cut(info, name)
	text, _, _ := strings.Cut(after, "\r")
	number, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return -1
	}
	return number
}
