//go:build unix

package streams_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"burble/streams"
	"burble/streams/conns"
	"burble/streams/redistest"
)

func TestCluster(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	address := redistest.StartCluster(t, 0).Redis()
	store := redistest.Open(t, streams.Options{Redis: address, MaxCount: 50})
	two := redistest.Open(t, streams.Options{Redis: address, MaxCount: 50})
	var followers []*follower
	for i := range 30 { // enough for all buckets and therefore all nodes
		f := follow(t, two, fmt.Sprint("room-", i), streams.Newest(50))
		f.nextState()
		followers = append(followers, f)
	}
	for i, f := range followers {
		for j := range 5 {
			post(t, store, f.reader.Room, fmt.Sprint(i, "-", j))
		}
	}
	for i, f := range followers {
		f.expect(5)
		if want := fmt.Sprintf("%d-0 %d-1 %d-2 %d-3 %d-4", i, i, i, i, i); texts(f.entries) != want {
			t.Errorf("room %d: got %q, want %q", i, texts(f.entries), want)
		}
		got, err := store.As(ada).Page(ctx, f.reader.Room, streams.PageQuery{Limit: 3})
		if err != nil || len(got.Entries) != 3 {
			t.Errorf("page of room %d: got %v, %v, want 3 messages", i, got, err)
		}
		back := follow(t, store, f.reader.Room, streams.After(streams.Cursor{ID: f.entries[2].ID}))
		back.expect(2)
	}
	rooms, err := store.As(streams.User{}).Rooms(ctx, 100)
	if err != nil || len(rooms) != 30 {
		t.Errorf("got %d rooms, %v, want 30", len(rooms), err)
	}
	if err := errors.Join(store.Health(ctx), two.Health(ctx)); err != nil {
		t.Error(err)
	}
	if store.Away() || two.Away() {
		t.Error("Away() = true, want false")
	}
}

func TestClusterFailoverUnderLoad(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	for name, how := range map[string]struct{ fail, recover func(node *redistest.Node) }{
		"killed":  {func(node *redistest.Node) { node.Kill() }, func(node *redistest.Node) { node.Restart() }},
		"hanging": {func(node *redistest.Node) { node.Pause() }, func(node *redistest.Node) { node.Resume() }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cluster := redistest.StartCluster(t, 1)
			load := startLoad(t, cluster.Redis())
			old := cluster.Primary(lobbyKey)
			began := time.Now()
			how.fail(old)
			cluster.AwaitFailover(old)
			t.Logf("new primary after %v", time.Since(began).Round(time.Millisecond))
			how.recover(old) // becomes the only replica, which appends need
			load.awaitProgress()
			t.Logf("appends succeeded again after %v", time.Since(began).Round(time.Millisecond))
			cluster.AwaitComplete()
			load.expectComplete()
		})
	}
}

func TestClusterSlotMoveUnderLoad(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	cluster := redistest.StartCluster(t, 1)
	load := startLoad(t, cluster.Redis())
	for range 2 { // there and back
		from := cluster.Primary(lobbyKey)
		to := cluster.Primary(streams.RoomKey("elsewhere"))
		if to == from {
			to = cluster.Primary("{2}")
		}
		began := time.Now()
		cluster.MoveSlot(lobbyKey, to)
		t.Logf("moved the slot in %v", time.Since(began).Round(time.Millisecond))
		load.awaitProgress()
		t.Logf("appends succeeded again after %v", time.Since(began).Round(time.Millisecond))
	}
	load.expectComplete()
}

func TestReaderContinuesWhileAnotherNodeIsAway(t *testing.T) {
	t.Parallel()
	cluster := redistest.StartCluster(t, 0, "--cluster-require-full-coverage", "no")
	store := redistest.Open(t, streams.Options{Redis: cluster.Redis()})
	here := cluster.Primary(lobbyKey)
	for _, node := range cluster.Nodes {
		if node != here {
			node.Kill()
			break
		}
	}
	eventually(t, "the Store to notice that a node is away", store.Away)
	client := here.Client()
	defer client.Close()
	ctx := context.Background()
	if err := client.Set(ctx, lobbyKey, "not a stream", 0).Err(); err != nil {
		t.Fatal(err)
	}
	f := follow(t, store, "lobby", streams.Newest(50))
	<-f.ready
	if _, err := f.next(); !errors.Is(err, streams.ErrUnavailable) {
		t.Errorf("read of a string: got error %v, want ErrUnavailable", err)
	}
	if err := client.Del(ctx, lobbyKey).Err(); err != nil {
		t.Fatal(err)
	}
	if got := f.nextState(); got.State != streams.Fresh {
		t.Errorf("got state %v, want fresh", got)
	}
	if !store.Away() {
		t.Error("Away() = false, want true because a node was killed")
	}
}

func TestOpenOneClusterNodeFailsAtOnce(t *testing.T) {
	t.Parallel()
	for _, node := range redistest.StartCluster(t, 0).Nodes {
		address := &conns.Address{Addrs: []string{node.Proxy.Addr}}
		store, err := streams.Open(context.Background(), streams.Options{Redis: address, Wait: time.Hour})
		if err == nil {
			store.Close()
		}
		if !errors.Is(err, streams.ErrUnusable) {
			t.Errorf("Open: got error %v, want ErrUnusable", err)
		}
	}
}
