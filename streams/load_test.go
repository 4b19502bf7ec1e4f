package streams_test

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"burble/streams"
	"burble/streams/redistest"

	"github.com/redis/go-redis/v9"
)

// load is authors who write through one Store, for as long as a test lets them, and
// readers of two. A message counts when a replica has it.
type load struct {
	t         *testing.T
	begun     atomic.Int64 // messages
	ending    atomic.Bool
	stored    chan map[string]streams.ID
	near, far *follower
}

func startLoad(t *testing.T, at *redis.UniversalOptions) *load {
	t.Helper()
	options := streams.Options{Redis: at, Durability: streams.Replica}
	one, two := redistest.Open(t, options), redistest.Open(t, options)
	l := &load{
		t: t, stored: make(chan map[string]streams.ID, 1),
		near: follow(t, one, "lobby", streams.After(streams.Cursor{})),
		far:  follow(t, two, "lobby", streams.After(streams.Cursor{})),
	}
	l.near.state()
	l.far.state()
	go func() {
		l.stored <- sendAll(t, one, 4, 1<<30, func(int, int) bool {
			l.begun.Add(1)
			return !l.ending.Load()
		})
	}()
	l.goesOn()
	return l
}

// goesOn waits until more is stored, and read.
func (l *load) goesOn() {
	l.t.Helper()
	begun, read := l.begun.Load(), len(l.near.all)
	within(l.t, "messages to be stored", func() bool { return l.begun.Load() > begun+50 })
	l.near.until("messages", func() bool { return len(l.near.all) > read+50 })
}

// whole ends the load, and has every reader find all that was stored, once, in order and
// with nothing told in between. A reader who was told what was lost then, because it was
// never stored, is told reset, and finds all from there on.
func (l *load) whole() {
	l.t.Helper()
	l.ending.Store(true)
	stored := <-l.stored
	wasStored := func(entry streams.Entry) bool { return stored[entry.Key] == entry.ID }
	for _, f := range []*follower{l.near, l.far} {
		count := int64(len(stored))
		f.until("all that was stored", func() bool { return len(f.all) > f.begins && f.all[len(f.all)-1].N >= count })
		told, first := f.all[f.begins:], f.all[f.begins].N
		for i, entry := range told {
			if entry.N != first+int64(i) || !wasStored(entry) {
				l.t.Fatalf("entry %d: %+v, its sender was told %v", i, entry, stored[entry.Key])
			}
		}
		lost := slices.ContainsFunc(f.all[:f.begins], func(entry streams.Entry) bool { return !wasStored(entry) })
		if !lost && (len(f.states) != 1 || first != 1) || told[len(told)-1].N != count {
			l.t.Errorf("told of %d to %d of %d, and %v", first, told[len(told)-1].N, count, f.states)
		}
	}
}

func TestFailoverThatLostMessagesIsToldToEveryReader(t *testing.T) {
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

// loseMessages kills the primary when the readers have eight messages that its replicas
// have, and five that they lack.
func loseMessages(t *testing.T, at *redis.UniversalOptions, old *redistest.Node, awaitFailover func(*redistest.Node)) {
	one := redistest.Open(t, streams.Options{Redis: at})
	two := redistest.Open(t, streams.Options{Redis: at})
	for range 8 {
		say(t, one, "lobby", "kept")
	}
	if err := clientOf(t, old.Server).Wait(context.Background(), 1, 0).Err(); err != nil {
		t.Fatal(err)
	}
	var all []*follower
	for _, store := range []*streams.Store{one, two, two} {
		all = append(all, follow(t, store, "lobby", streams.After(streams.Cursor{})))
	}
	old.ShutOutReplicas()
	for range 5 {
		say(t, one, "lobby", "lost")
	}
	for _, f := range all {
		f.has(13)
		f.all = nil
	}
	old.Kill()
	awaitFailover(old)
	known := time.Now()
	for i, f := range all {
		if got := f.state(); got.State != streams.Reset {
			t.Errorf("reader %d was told %v", i, got)
		}
		t.Logf("reader %d was told %v after the new primary answered", i, time.Since(known).Round(time.Millisecond))
		f.has(8)
	}
	say(t, two, "lobby", "new")
	for _, f := range all {
		f.has(9)
	}
}
