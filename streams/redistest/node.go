package redistest

import (
	"context"
	"net"
	"strconv"
	"testing"
)

// Node is a Redis among others. They and all clients come to it by its Proxy, so
// that it can be cut off from them; its own Addr leads around the Proxy, for who
// stands on its side of the cut.
type Node struct {
	*Server
	Proxy *Proxy

	id string // in a Cluster
}

// The user that a replica is to its primary, so that replicas can be shut out.
const replicaUser, replicaPassword = "replica", "burble"

// newNode makes a node that is yet to be started.
func newNode(t testing.TB) *Node {
	t.Helper()
	addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(FreePort(t)))
	return &Node{
		Server: &Server{Addr: addr, t: t, program: find(t), folder: tempDir(t)},
		Proxy:  StartProxy(t, addr),
	}
}

// port is the port of an address.
func port(addr string) string {
	_, port, _ := net.SplitHostPort(addr)
	return port
}

// launch starts the node with more arguments, and does not wait. It ends with the test.
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

// CutOff separates the node from clients, sentinels and replicas, as a broken network
// does; it lives on, and answers at Addr. What it has open itself, stays open: a replica
// goes on reading from its primary.
func (n *Node) CutOff() { n.Proxy.Point("") }

// Rejoin ends CutOff.
func (n *Node) Rejoin() { n.Proxy.Point(n.Addr) }

// ShutOutReplicas ends replication from this node: what is written from now on is
// lost when it fails over. Clients notice nothing, unless they wait for a replica.
func (n *Node) ShutOutReplicas() {
	n.t.Helper()
	n.do("ACL", "SETUSER", replicaUser, "off")
	n.do("CLIENT", "KILL", "TYPE", "replica")
}

// LetReplicasIn ends ShutOutReplicas.
func (n *Node) LetReplicasIn() {
	n.t.Helper()
	n.do("ACL", "SETUSER", replicaUser, "on")
}

// do asks the node itself.
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

// role is "master" or "slave", or "" if the node does not answer.
func (n *Node) role() string {
	client := n.Client()
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), askTime)
	defer cancel()
	reply, _ := client.Do(ctx, "ROLE").Slice()
	if len(reply) == 0 {
		return ""
	}
	role, _ := reply[0].(string)
	return role
}
