//go:build unix

package streams_test

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"burble/streams"
	"burble/streams/redistest"
)

func TestSentinelFailoverUnderLoad(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	for name, how := range map[string]struct {
		fail, recover func(s *redistest.SentinelDeployment, primary *redistest.Node)
	}{
		"killed": {
			func(_ *redistest.SentinelDeployment, primary *redistest.Node) { primary.Kill() },
			func(_ *redistest.SentinelDeployment, primary *redistest.Node) { primary.Restart() },
		},
		"hanging": {
			func(_ *redistest.SentinelDeployment, primary *redistest.Node) { primary.Pause() },
			func(_ *redistest.SentinelDeployment, primary *redistest.Node) { primary.Resume() },
		},
		"cut off": {
			func(_ *redistest.SentinelDeployment, primary *redistest.Node) { primary.CutOff() },
			func(_ *redistest.SentinelDeployment, primary *redistest.Node) { primary.Rejoin() },
		},
		"failover on request": {
			func(s *redistest.SentinelDeployment, _ *redistest.Node) {
				s.Nodes[2].Kill()
				s.AwaitReplica(s.Nodes[1])
				s.FailOver()
			},
			func(*redistest.SentinelDeployment, *redistest.Node) {},
		},
		"killed while a sentinel hangs": {
			func(s *redistest.SentinelDeployment, primary *redistest.Node) { s.Sentinels[0].Pause(); primary.Kill() },
			func(s *redistest.SentinelDeployment, primary *redistest.Node) {
				s.Sentinels[0].Resume()
				primary.Restart()
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := redistest.StartSentinel(t)
			load := startLoad(t, s.Redis())
			old := s.Primary()
			began := time.Now()
			how.fail(s, old)
			s.AwaitFailover(old)
			t.Logf("new primary after %v", time.Since(began).Round(time.Millisecond))
			load.awaitProgress()
			t.Logf("appends succeeded again after %v", time.Since(began).Round(time.Millisecond))
			how.recover(s, old)
			s.AwaitReplica(old)
			load.expectComplete()
		})
	}
}

// A side is one side of a network partition. It maps each address to the one that connections from that
// side actually reach.
type side map[string]string

func (s side) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	if routed, ok := s[addr]; ok {
		addr = routed
	}
	return (&net.Dialer{}).DialContext(ctx, network, addr)
}

// One Store is on the same side of a network partition as the old primary, and writes to it. The Sentinels,
// the replicas and another Store are on the other side, where a new primary is elected.
func TestSentinelPartition(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	s := redistest.StartSentinel(t)
	old := s.Primary()
	minority := side{old.Proxy.Addr: old.Addr}
	var proxies []*redistest.Proxy
	for _, sentinel := range s.Sentinels {
		proxy := redistest.StartProxy(t, sentinel.Addr)
		minority[sentinel.Addr] = proxy.Addr
		proxies = append(proxies, proxy)
	}
	options := s.Redis()
	options.Dialer = minority.dial
	memoryStore := redistest.Open(t, streams.Options{Redis: options})
	replicaStore := redistest.Open(t, streams.Options{Redis: options, Durability: streams.Replica})
	other := redistest.Open(t, streams.Options{Redis: s.Redis(), Durability: streams.Replica})
	for range 8 {
		post(t, replicaStore, "lobby", "before")
	}
	post(t, memoryStore, "lobby", "before") // connects now, because it cannot find the primary later without the Sentinels
	near := follow(t, memoryStore, "lobby", streams.After(streams.Cursor{}))
	far := follow(t, other, "lobby", streams.After(streams.Cursor{}))
	near.expect(9)
	far.expect(9)

	for _, proxy := range proxies {
		proxy.Reroute("")
	}
	old.CutOff()
	primary := s.AwaitFailover(old)
	eventually(t, "an append on the majority's side to succeed", func() bool { return tryPost(other, "lobby", "majority") == nil })
	post(t, memoryStore, "lobby", "lost")
	if err := tryPost(replicaStore, "lobby", "kept"); !errors.Is(err, streams.ErrUnavailable) {
		t.Errorf("append without a replica: got error %v, want ErrUnavailable", err)
	}
	near.expect(11)

	near.entries = nil
	for i, proxy := range proxies {
		proxy.Reroute(s.Sentinels[i].Addr)
	}
	old.Rejoin()
	s.AwaitReplica(old)
	if got := near.nextState(); got.State != streams.Reset {
		t.Errorf("reader on the minority's side: got state %v, want reset", got)
	}
	if s.Primary() != primary {
		t.Error("the primary changed again after the partition ended")
	}
	eventually(t, "an append on the former minority's side to succeed", func() bool { return tryPost(replicaStore, "lobby", "after") == nil })
	near.readUntil("the last message", func() bool { return len(near.entries) > 0 && near.entries[len(near.entries)-1].Text == "after" })
	far.readUntil("the last message", func() bool { return far.entries[len(far.entries)-1].Text == "after" })
	if texts(near.entries) != texts(far.entries) || len(far.states) != 1 {
		t.Errorf("the minority has %q, the majority has %q and states %v, want the same messages and one state", texts(near.entries), texts(far.entries), far.states)
	}
}
