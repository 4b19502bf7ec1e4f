package redistest

import (
	"context"
	"testing"
)

// holds is what the node itself has under the key.
func holds(node *Node, key string) string {
	client := node.Client()
	defer client.Close()
	return client.Get(context.Background(), key).Val()
}

func TestWhatIsWrittenWhileReplicasAreShutOutIsLostInAFailover(t *testing.T) {
	t.Parallel()
	s := StartSentinel(t)
	old := s.Primary()
	old.do("SET", "kept", "yes")
	old.do("WAIT", 2, 0)
	old.ShutOutReplicas()
	old.do("SET", "lost", "yes")
	old.CutOff()
	primary := s.AwaitFailover(old)
	if holds(primary, "kept") != "yes" || holds(primary, "lost") != "" {
		t.Errorf("the new primary holds %q and %q", holds(primary, "kept"), holds(primary, "lost"))
	}
	if holds(old, "lost") != "yes" {
		t.Error("the old one does not answer on its side")
	}
	old.Rejoin()
	s.AwaitReplica(old)
	if holds(old, "lost") != "" {
		t.Error("the old one rejoined, and still holds what the others never had")
	}
}

func TestClusterMovesASlotAndFailsOver(t *testing.T) {
	t.Parallel()
	c := StartCluster(t, 1)
	from, to := c.Primary("{1}:key"), c.Primary("{3}:key")
	if from == to {
		t.Fatal("the two keys live together")
	}
	from.do("SET", "{1}:key", "yes")
	c.MoveSlot("{1}:key", to)
	if c.Primary("{1}:key") != to || holds(to, "{1}:key") != "yes" {
		t.Errorf("moved to %v, which holds %q", c.Primary("{1}:key").Addr, holds(to, "{1}:key"))
	}
	to.do("WAIT", 1, 0)
	to.Kill()
	c.AwaitFailover(to)
	if now := c.Primary("{1}:key"); now == to || holds(now, "{1}:key") != "yes" {
		t.Errorf("failed over to %v, which holds %q", now.Addr, holds(now, "{1}:key"))
	}
	to.Restart()
	c.AwaitWhole()
}
