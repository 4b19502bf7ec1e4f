package streams_test

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"burble/streams"
	"burble/streams/conns"
	"burble/streams/redistest"
)

// A load has authors who post through one Store until the test stops them, and readers on two Stores. Each
// message must reach a replica before it is confirmed.
type load struct {
	t         *testing.T
	begun     atomic.Int64 // number of appends begun
	ending    atomic.Bool
	stored    chan map[string]streams.ID
	near, far *follower
}

func startLoad(t *testing.T, at *conns.Address) *load {
	t.Helper()
	options := streams.Options{Redis: at, Durability: streams.Replica}
	one, two := redistest.Open(t, options), redistest.Open(t, options)
	l := &load{
		t: t, stored: make(chan map[string]streams.ID, 1),
		near: follow(t, one, "lobby", streams.After(streams.Cursor{})),
		far:  follow(t, two, "lobby", streams.After(streams.Cursor{})),
	}
	l.near.nextState()
	l.far.nextState()
	go func() {
		l.stored <- appendAll(t, one, 4, 1<<30, func(int, int) bool {
			l.begun.Add(1)
			return !l.ending.Load()
		})
	}()
	l.awaitProgress()
	return l
}

// awaitProgress waits until more messages are stored and read.
func (l *load) awaitProgress() {
	l.t.Helper()
	begun, read := l.begun.Load(), len(l.near.entries)
	eventually(l.t, "more stored messages", func() bool { return l.begun.Load() > begun+50 })
	l.near.readUntil("more messages", func() bool { return len(l.near.entries) > read+50 })
}

// expectComplete stops the load, and checks that every reader received all stored messages once, in order,
// and without a change of state. If a reader received unacknowledged messages that were then lost, it must
// have been reset, and then have received all stored messages.
func (l *load) expectComplete() {
	l.t.Helper()
	l.ending.Store(true)
	stored := <-l.stored
	wasStored := func(entry streams.Entry) bool { return stored[entry.Key] == entry.ID }
	for _, f := range []*follower{l.near, l.far} {
		count := int64(len(stored))
		f.readUntil("all stored messages", func() bool { return len(f.entries) > f.afterState && f.entries[len(f.entries)-1].Number >= count })
		got, first := f.entries[f.afterState:], f.entries[f.afterState].Number
		for i, entry := range got {
			if entry.Number != first+int64(i) || !wasStored(entry) {
				l.t.Fatalf("entry %d: got %+v, want number %d and ID %v", i, entry, first+int64(i), stored[entry.Key])
			}
		}
		lost := slices.ContainsFunc(f.entries[:f.afterState], func(entry streams.Entry) bool { return !wasStored(entry) })
		if !lost && (len(f.states) != 1 || first != 1) || got[len(got)-1].Number != count {
			l.t.Errorf("got messages %d to %d and states %v, want messages 1 to %d and one state", first, got[len(got)-1].Number, f.states, count)
		}
	}
}

func TestFailoverLosingMessagesResetsEveryReader(t *testing.T) {
	t.Parallel()
	t.Run("Sentinel", func(t *testing.T) {
		t.Parallel()
		s := redistest.StartSentinel(t)
		loseMessages(t, s.Redis(), s.Primary(), func(old *redistest.Node) { s.AwaitFailover(old) })
	})
	t.Run("Cluster", func(t *testing.T) {
		t.Parallel()
		c := redistest.StartCluster(t, 1)
		loseMessages(t, c.Redis(), c.Primary(lobbyKey), c.AwaitFailover)
	})
}

// loseMessages kills the primary after the readers have received eight messages that its replicas have and
// five that the replicas lack.
func loseMessages(t *testing.T, at *conns.Address, old *redistest.Node, awaitFailover func(*redistest.Node)) {
	one := redistest.Open(t, streams.Options{Redis: at})
	two := redistest.Open(t, streams.Options{Redis: at})
	for range 8 {
		post(t, one, "lobby", "kept")
	}
	if err := clientOf(t, old.Server).Do(context.Background(), "WAIT", 1, 0).Err(); err != nil {
		t.Fatal(err)
	}
	var all []*follower
	for _, store := range []*streams.Store{one, two, two} {
		all = append(all, follow(t, store, "lobby", streams.After(streams.Cursor{})))
	}
	old.RejectReplicas()
	for range 5 {
		post(t, one, "lobby", "lost")
	}
	for _, f := range all {
		f.expect(13)
		f.entries = nil
	}
	old.Kill()
	awaitFailover(old)
	failedOver := time.Now()
	for i, f := range all {
		if got := f.nextState(); got.State != streams.Reset {
			t.Errorf("reader %d: got state %v, want reset", i, got)
		}
		t.Logf("reader %d was reset %v after the new primary answered", i, time.Since(failedOver).Round(time.Millisecond))
		f.expect(8)
	}
	postRetrying(t, two, "lobby", "new")
	for _, f := range all {
		f.expect(9)
	}
}
