//go:build unix

package conns_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"burble/streams"
	"burble/streams/conns"
	"burble/streams/redistest"

	"github.com/google/uuid"
)

// buckets is the number of blocking reads that a Store has in a Cluster.
const buckets = 16

func TestMain(m *testing.M) { os.Exit(redistest.Main(m)) }

func TestConnectionsToOneRedis(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	work(t, server.Redis())
	if n := connections(t, server); n > conns.MaxPerRedis {
		t.Errorf("got %d connections, want at most %d", n, conns.MaxPerRedis)
	}
}

func TestConnectionsThroughSentinel(t *testing.T) {
	t.Parallel()
	s := redistest.StartSentinel(t)
	work(t, s.Redis())
	for _, node := range s.Nodes {
		most := 0
		if node == s.Primary() {
			most = conns.MaxPerRedis
		}
		if n := connections(t, node.Server); n > most {
			t.Errorf("got %d connections to a node, want at most %d", n, most)
		}
	}
}

func TestConnectionsToCluster(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	cluster := redistest.StartCluster(t, 1)
	work(t, cluster.Redis())
	all := 0
	for i, node := range cluster.Nodes {
		n := connections(t, node.Server)
		t.Logf("node %d: %d connections", i, n)
		if i < 3 {
			all += n
		} else if n > 3 { // one for each pool
			t.Errorf("got %d connections to a replica, want at most 3", n)
		}
	}
	if most := 3*conns.MaxPerRedis + buckets; all > most { // each primary may have one more connection that looks up slots
		t.Errorf("got %d connections to the primaries, want at most %d", all, most)
	}
}

// work appends to rooms in all buckets and reads them, from many goroutines at a time.
func work(t *testing.T, address *conns.Address) {
	t.Helper()
	ctx := context.Background()
	store := redistest.Open(t, streams.Options{Redis: address})
	ada := store.As(streams.User{ID: uuid.NewString(), Name: "Ada"})
	var working sync.WaitGroup
	for i := range 200 {
		working.Go(func() {
			room := fmt.Sprint("room-", i)
			reader, err := ada.Follow(room, streams.Newest(5), func(*streams.Reader) {})
			if err != nil {
				t.Error(err)
				return
			}
			defer reader.Close()
			for range 5 {
				_, err := ada.Append(ctx, room, streams.Entry{Kind: streams.Message, Key: uuid.NewString(), Text: "x"})
				if err == nil {
					_, err = ada.Page(ctx, room, streams.PageQuery{Limit: 5})
				}
				if err == nil {
					_, err = reader.Next(ctx)
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	working.Wait()
}

// connections returns the number of connections to a server, not counting its own, the Sentinels' and the
// replicas'.
func connections(t *testing.T, server *redistest.Server) int {
	t.Helper()
	client := server.Client()
	defer client.Close()
	list, err := client.Do(context.Background(), "CLIENT", "LIST", "TYPE", "normal").Text()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Count(list, "\n") - strings.Count(list, "name=sentinel-") - 1
}
