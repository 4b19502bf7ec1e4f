package redistest

import (
	"context"
	"net"
	"strconv"
	"testing"
)

// A Node is one Redis in a Sentinel or a Cluster. Other nodes and all clients connect to it through
// its Proxy, so that CutOff can separate it. Addr is the node's own address, without the Proxy.
type Node struct {
	*Server
	Proxy *Proxy

	id string // set only in a Cluster
}

// Replicas log in as replicaUser, so that RejectReplicas can reject them.
const replicaUser, replicaPassword = "replica", "burble"

// newNode returns a node without starting it.
func newNode(t testing.TB) *Node {
	t.Helper()
	addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(FreePort(t)))
	return &Node{
		Server: &Server{Addr: addr, t: t, program: findServer(t), folder: tempDir(t)},
		Proxy:  StartProxy(t, addr),
	}
}

// port returns the port of an address.
func port(addr string) string {
	_, port, _ := net.SplitHostPort(addr)
	return port
}

// launch starts the node with additional arguments, without waiting until it answers. The node stops at
// the end of the test.
func (n *Node) launch(args ...string) {
	n.t.Helper()
	n.args = append([]string{
		"--dir", n.folder, "--save", "", "--bind", "127.0.0.1", "--port", port(n.Addr),
		"--repl-diskless-sync-delay", "0", "--repl-timeout", "10",
		"--user", replicaUser, "on", ">" + replicaPassword, "allcommands", "allkeys", "allchannels",
		"--masteruser", replicaUser, "--masterauth", replicaPassword,
	}, args...)
	n.t.Cleanup(n.Kill)
	n.Server.launch()
}

// CutOff separates the node from clients, Sentinels and replicas, like a broken network. The node
// keeps running and answers at Addr. Connections that it opened itself stay open, such as a replica's
// connection to its primary.
func (n *Node) CutOff() { n.Proxy.Reroute("") }

// Rejoin undoes CutOff.
func (n *Node) Rejoin() { n.Proxy.Reroute(n.Addr) }

// RejectReplicas stops replication from this node, so that a failover loses all later writes. Clients
// do not notice this unless they use WAIT.
func (n *Node) RejectReplicas() {
	n.t.Helper()
	n.do("ACL", "SETUSER", replicaUser, "off")
	n.do("CLIENT", "KILL", "TYPE", "replica")
}

// AdmitReplicas undoes RejectReplicas.
func (n *Node) AdmitReplicas() {
	n.t.Helper()
	n.do("ACL", "SETUSER", replicaUser, "on")
}

// do sends a command to the node itself.
func (n *Node) do(args ...any) any {
	n.t.Helper()
	client := n.Client()
	defer client.Close()
	reply, err := client.Do(context.Background(), args...).Result()
	if err != nil {
		n.t.Fatalf("%v: %v", args, err)
	}
	return reply
}

// role returns "master" or "slave", or "" if the node does not answer.
func (n *Node) role() string {
	client := n.Client()
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), queryTimeout)
	defer cancel()
	reply, _ := client.Do(ctx, "ROLE").Slice()
	if len(reply) == 0 {
		return ""
	}
	role, _ := reply[0].(string)
	return role
}
