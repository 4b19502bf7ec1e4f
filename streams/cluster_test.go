//go:build unix

package streams_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"burble/streams"
	"burble/streams/redistest"

	"github.com/redis/go-redis/v9"
)

func TestRoomsLiveInARedisCluster(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	options := redistest.StartCluster(t, 0).Redis()
	one := redistest.Open(t, streams.Options{Redis: options, MaxCount: 50})
	two := redistest.Open(t, streams.Options{Redis: options, MaxCount: 50})
	var followers []*follower
	for i := range 30 { // of all buckets, and so of all nodes
		f := follow(t, two, fmt.Sprint("room-", i), streams.Newest(50))
		f.state()
		followers = append(followers, f)
	}
	for i, f := range followers {
		for j := range 5 {
			say(t, one, f.reader.Room, fmt.Sprint(i, "-", j))
		}
	}
	for i, f := range followers {
		f.has(5)
		if want := fmt.Sprintf("%d-0 %d-1 %d-2 %d-3 %d-4", i, i, i, i, i); texts(f.all) != want {
			t.Errorf("room %d: %q", i, texts(f.all))
		}
		got, err := one.As(ada).Page(ctx, f.reader.Room, streams.Where{Limit: 3})
		if err != nil || len(got.Entries) != 3 {
			t.Errorf("a page of room %d: %v, %v", i, got, err)
		}
		back := follow(t, one, f.reader.Room, streams.After(streams.Cursor{ID: f.all[2].ID}))
		back.has(2)
	}
	rooms, err := one.As(streams.User{}).Rooms(ctx, 100)
	if err != nil || len(rooms) != 30 {
		t.Errorf("%d rooms, %v", len(rooms), err)
	}
	if err := errors.Join(one.Health(ctx), two.Health(ctx)); err != nil {
		t.Error(err)
	}
	if one.Away() || two.Away() {
		t.Error("taken to be away")
	}
}

func TestNodeOfAClusterGoneUnderLoadLosesNothingThatItsReplicaHad(t *testing.T) {
	t.Parallel()
	for name, how := range map[string]struct{ gone, back func(node *redistest.Node) }{
		"killed":  {func(node *redistest.Node) { node.Kill() }, func(node *redistest.Node) { node.Restart() }},
		"hanging": {func(node *redistest.Node) { node.Pause() }, func(node *redistest.Node) { node.Resume() }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cluster := redistest.StartCluster(t, 1)
			load := startLoad(t, cluster.Redis())
			old := cluster.Primary(lobbyKey)
			began := time.Now()
			how.gone(old)
			cluster.AwaitFailover(old)
			t.Logf("another is the primary after %v", time.Since(began).Round(time.Millisecond))
			how.back(old) // the new one has no other replica to wait for
			load.goesOn()
			t.Logf("messages are stored after %v", time.Since(began).Round(time.Millisecond))
			cluster.AwaitWhole()
			load.whole()
		})
	}
}

func TestSlotThatMovesWithItsRoomsUnderLoadLosesNothing(t *testing.T) {
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
		t.Logf("moved in %v", time.Since(began).Round(time.Millisecond))
		load.goesOn()
		t.Logf("messages are stored after %v", time.Since(began).Round(time.Millisecond))
	}
	load.whole()
}

func TestReaderGoesOnThoughAnotherServerIsAway(t *testing.T) {
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
	within(t, "a server to be away", store.Away)
	client := here.Client()
	defer client.Close()
	ctx := context.Background()
	if err := client.Set(ctx, lobbyKey, "no stream", 0).Err(); err != nil {
		t.Fatal(err)
	}
	f := follow(t, store, "lobby", streams.Newest(50))
	<-f.wake
	if _, err := f.step(); !errors.Is(err, streams.ErrUnavailable) {
		t.Errorf("read what is no stream: %v", err)
	}
	if err := client.Del(ctx, lobbyKey).Err(); err != nil {
		t.Fatal(err)
	}
	if got := f.state(); got.State != streams.Fresh {
		t.Errorf("told %v, want fresh", got)
	}
	if !store.Away() {
		t.Error("the other one is back")
	}
}

func TestOpenOfOneServerOfAClusterDoesNotWait(t *testing.T) {
	t.Parallel()
	for _, node := range redistest.StartCluster(t, 0).Nodes {
		alone := &redis.UniversalOptions{Addrs: []string{node.Proxy.Addr}}
		store, err := streams.Open(context.Background(), streams.Options{Redis: alone, Wait: time.Hour})
		if err == nil {
			store.Close()
		}
		if !errors.Is(err, streams.ErrUnusable) {
			t.Errorf("opened: %v", err)
		}
	}
}
