package redistest

import (
	"context"
	"testing"
)

// valueOf returns the value that the node has for the key.
func valueOf(node *Node, key string) string {
	client := node.Client()
	defer client.Close()
	return client.Get(context.Background(), key).Val()
}

func TestSentinelFailoverLosesUnreplicatedWrites(t *testing.T) {
	SkipUnlessLong(t)
	t.Parallel()
	s := StartSentinel(t)
	old := s.Primary()
	old.do("SET", "kept", "yes")
	old.do("WAIT", 2, 0)
	old.RejectReplicas()
	old.do("SET", "lost", "yes")
	old.CutOff()
	primary := s.AwaitFailover(old)
	if valueOf(primary, "kept") != "yes" || valueOf(primary, "lost") != "" {
		t.Errorf("new primary: got %q and %q, want \"yes\" and \"\"", valueOf(primary, "kept"), valueOf(primary, "lost"))
	}
	if valueOf(old, "lost") != "yes" {
		t.Error("the old primary does not have the lost key any more, at its address without the proxy")
	}
	old.Rejoin()
	s.AwaitReplica(old)
	if valueOf(old, "lost") != "" {
		t.Error("the old primary rejoined, but still has the lost key")
	}
}

func TestClusterSlotMoveAndFailover(t *testing.T) {
	SkipUnlessLong(t)
	t.Parallel()
	c := StartCluster(t, 1)
	from, to := c.Primary("{1}:key"), c.Primary("{3}:key")
	if from == to {
		t.Fatal("both keys are on the same node")
	}
	from.do("SET", "{1}:key", "yes")
	c.MoveSlot("{1}:key", to)
	if c.Primary("{1}:key") != to || valueOf(to, "{1}:key") != "yes" {
		t.Errorf("after the move: got primary %v and value %q, want %v and \"yes\"", c.Primary("{1}:key").Addr, valueOf(to, "{1}:key"), to.Addr)
	}
	to.do("WAIT", 1, 0)
	to.Kill()
	c.AwaitFailover(to)
	if now := c.Primary("{1}:key"); now == to || valueOf(now, "{1}:key") != "yes" {
		t.Errorf("after the failover: got primary %v and value %q, want a node other than %v and \"yes\"", now.Addr, valueOf(now, "{1}:key"), to.Addr)
	}
	to.Restart()
	c.AwaitComplete()
}
