//go:build unix

package streams_test

import (
	"slices"
	"sync"
	"testing"

	"burble/streams"
	"burble/streams/conns"
	"burble/streams/redistest"
)

// Removed readers also end exactly at their removal during a failover, if appends wait for a replica.
func TestRemovalDuringFailover(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	t.Run("Sentinel", func(t *testing.T) {
		t.Parallel()
		s := redistest.StartSentinel(t)
		old := s.Primary()
		removeDuringFailover(t, s.Redis(), old, func() { s.AwaitFailover(old) })
	})
	t.Run("Cluster", func(t *testing.T) {
		t.Parallel()
		cluster := redistest.StartCluster(t, 1)
		removeDuringFailover(t, cluster.Redis(), nil, func() {}, cluster)
	})
}

// removeDuringFailover removes members of a room while the primary is killed. In a Cluster, it kills the primary
// that has the room.
func removeDuringFailover(t *testing.T, at *conns.Address, primary *redistest.Node, await func(), clusters ...*redistest.Cluster) {
	client := redistest.Connect(t, at)
	r := newRemovalRoom(t, client, streams.Options{Redis: at, Durability: streams.Replica})
	for _, cluster := range clusters {
		primary = cluster.Primary(streams.RoomKey(r.room))
		await = func() { cluster.AwaitFailover(primary) }
	}
	stop := r.write()
	defer stop()
	var reading sync.WaitGroup
	readers := make([]*follower, removedReaders+1)
	removals := make([]streams.Entry, removedReaders+1)
	for n := 1; n <= removedReaders; n++ {
		readers[n] = r.follow(n, streams.Newest(10))
		readers[n].nextState()
		reading.Go(func() { readers[n].readUntil("the end", func() bool { return readers[n].closed != "" }) })
	}
	killed := make(chan struct{})
	for n := 1; n <= removedReaders; n++ {
		if n == 10 {
			go func() { // meanwhile, the removals are retried
				defer close(killed)
				primary.Kill()
				await()
				primary.Restart() // in the Cluster, it becomes the only replica
			}()
		}
		r.awaitMessages()
		removals[n] = r.change(n, streams.NoRole)
	}
	<-killed
	reading.Wait()
	stop()
	history := r.history()
	for n := 1; n <= removedReaders; n++ {
		f := readers[n]
		isStored := func(entry streams.Entry) bool {
			return slices.ContainsFunc(history, func(stored streams.Entry) bool { return stored.ID == entry.ID })
		}
		if last := f.entries[len(f.entries)-1]; !isStored(last) {
			t.Logf("account %d read %v %q, which the failover lost", n, last.ID, last.Kind)
			continue
		}
		r.expectEnd(n, f, removals[n], history)
	}
}
