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

func TestPrimaryGoneUnderLoadLosesNothingThatAReplicaHad(t *testing.T) {
	t.Parallel()
	for name, how := range map[string]struct {
		gone, back func(s *redistest.Sentinel, primary *redistest.Node)
	}{
		"killed": {
			func(_ *redistest.Sentinel, primary *redistest.Node) { primary.Kill() },
			func(_ *redistest.Sentinel, primary *redistest.Node) { primary.Restart() },
		},
		"hanging": {
			func(_ *redistest.Sentinel, primary *redistest.Node) { primary.Pause() },
			func(_ *redistest.Sentinel, primary *redistest.Node) { primary.Resume() },
		},
		"cut off": {
			func(_ *redistest.Sentinel, primary *redistest.Node) { primary.CutOff() },
			func(_ *redistest.Sentinel, primary *redistest.Node) { primary.Rejoin() },
		},
		"told to step down": {
			func(s *redistest.Sentinel, _ *redistest.Node) {
				s.Nodes[2].Kill()
				s.AwaitReplica(s.Nodes[1])
				s.FailOver()
			},
			func(*redistest.Sentinel, *redistest.Node) {},
		},
		"killed, and a sentinel hangs": {
			func(s *redistest.Sentinel, primary *redistest.Node) { s.Sentinels[0].Pause(); primary.Kill() },
			func(s *redistest.Sentinel, primary *redistest.Node) { s.Sentinels[0].Resume(); primary.Restart() },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := redistest.StartSentinel(t)
			load := startLoad(t, s.Redis())
			old := s.Primary()
			began := time.Now()
			how.gone(s, old)
			s.AwaitFailover(old)
			t.Logf("another is the primary after %v", time.Since(began).Round(time.Millisecond))
			load.goesOn()
			t.Logf("messages are stored after %v", time.Since(began).Round(time.Millisecond))
			how.back(s, old)
			s.AwaitReplica(old)
			load.whole()
		})
	}
}

// A side is how one server sees the network: where an address leads from there.
type side map[string]string

func (s side) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	if leads, ok := s[addr]; ok {
		addr = leads
	}
	return (&net.Dialer{}).DialContext(ctx, network, addr)
}

// A network falls apart. One Burble stays with the old primary, and writes there; the
// sentinels, the replicas and the other Burble make a new one.
func TestPartitionedPrimaryThatIsWrittenToAndComesBack(t *testing.T) {
	t.Parallel()
	s := redistest.StartSentinel(t)
	old := s.Primary()
	beside := side{old.Proxy.Addr: old.Addr}
	var ways []*redistest.Proxy
	for _, sentinel := range s.Sentinels {
		way := redistest.StartProxy(t, sentinel.Addr)
		beside[sentinel.Addr] = way.Addr
		ways = append(ways, way)
	}
	options := s.Redis()
	options.Dialer = beside.dial
	hasty := redistest.Open(t, streams.Options{Redis: options})
	careful := redistest.Open(t, streams.Options{Redis: options, Durability: streams.Replica})
	other := redistest.Open(t, streams.Options{Redis: s.Redis(), Durability: streams.Replica})
	for range 8 {
		say(t, careful, "lobby", "before")
	}
	say(t, hasty, "lobby", "before") // has connections, as it has to be without sentinels
	near := follow(t, hasty, "lobby", streams.After(streams.Cursor{}))
	far := follow(t, other, "lobby", streams.After(streams.Cursor{}))
	near.has(9)
	far.has(9)

	for _, way := range ways {
		way.Point("")
	}
	old.CutOff()
	primary := s.AwaitFailover(old)
	within(t, "the majority to go on", func() bool { return tell(other, "lobby", "majority") == nil })
	say(t, hasty, "lobby", "lost")
	if err := tell(careful, "lobby", "kept"); !errors.Is(err, streams.ErrUnavailable) {
		t.Errorf("stored by a replica, and there is none: %v", err)
	}
	near.has(11)

	near.all = nil
	for i, way := range ways {
		way.Point(s.Sentinels[i].Addr)
	}
	old.Rejoin()
	s.AwaitReplica(old)
	if got := near.state(); got.State != streams.Reset {
		t.Errorf("told %v by the side that lost", got)
	}
	if s.Primary() != primary {
		t.Error("failed over twice")
	}
	within(t, "the minority to go on", func() bool { return tell(careful, "lobby", "after") == nil })
	near.until("what came after", func() bool { return len(near.all) > 0 && near.all[len(near.all)-1].Text == "after" })
	far.until("what came after", func() bool { return far.all[len(far.all)-1].Text == "after" })
	if texts(near.all) != texts(far.all) || len(far.states) != 1 {
		t.Errorf("two truths: %q and %q, told %v", texts(near.all), texts(far.all), far.states)
	}
}
