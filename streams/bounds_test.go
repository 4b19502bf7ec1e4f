package streams_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"burble/streams"
	"burble/streams/conns"
	"burble/streams/redistest"
)

func TestQuietRoomsCostFewCommands(t *testing.T) {
	redistest.SkipUnlessLong(t)
	// In the shorter run, the tail checks idle rooms five times as often, so both runs should need the
	// same number of commands.
	maxBlock, quiet := 19*time.Second, 62*time.Second
	if os.Getenv("CI") == "" {
		maxBlock, quiet = maxBlock/5, quiet/5
		t.Logf("shortened to %v without activity; set CI=true for 62 s", quiet)
	}
	server := redistest.Start(t)
	client := clientOf(t, server)
	restore := streams.SetMaxBlock(maxBlock)
	store := redistest.Open(t, streams.Options{Redis: server.Redis()})
	restore()
	t.Parallel()
	var followers []*follower
	for i := range 2000 {
		room := fmt.Sprint("room-", i)
		post(t, store, room, "x")
		for range 3 {
			followers = append(followers, follow(t, store, room, streams.Newest(5)))
		}
	}
	for _, f := range followers {
		f.expect(1)
	}
	if n := connections(t, client); n > conns.MaxPerRedis {
		t.Errorf("got %d connections, want at most %d", n, conns.MaxPerRedis)
	}
	post(t, store, "room-1999", "y") // the tail checks this room last
	followers[len(followers)-1].expect(2)
	client.ConfigResetStat(context.Background())
	time.Sleep(quiet) // this is what the test measures
	counts := commandCalls(t, client)
	t.Logf("%v without activity, %d connections: %v", quiet, connections(t, client), counts)
	if sum(counts) > 8 {
		t.Errorf("got %d commands in %v without activity, want at most 8: %v", sum(counts), quiet, counts)
	}
	post(t, store, "room-7", "y")
	followers[7*3].expect(2)
}

func TestReadsDoNotGrowWithReaders(t *testing.T) {
	t.Parallel()
	for _, readers := range []int{1, 500} {
		fx := newFixture(t, streams.Options{})
		var followers []*follower
		for range readers {
			followers = append(followers, follow(t, fx.store, "lobby", streams.Newest(10)))
		}
		for _, f := range followers {
			f.expect(10)
		}
		fx.Client.ConfigResetStat(context.Background())
		const messages = 50
		for i := range messages {
			fx.post(1)
			followers[0].expect(11 + i) // so that each message is a batch
		}
		for _, f := range followers {
			f.expect(10 + messages)
		}
		counts := commandCalls(t, fx.Client)
		reads := counts["xread"] + counts["xrange"] + counts["xrevrange"] + counts["exists"] + counts["hmget"]
		t.Logf("%d readers, %d batches: %v", readers, messages, counts)
		// append.lua also reads the room, with EXISTS and HMGET. A batch takes two XREADs.
		if counts["xread"] > 2*messages+10 || reads > 5*messages {
			t.Errorf("%d readers, %d batches: got %d XREADs and %d reads, want at most %d and %d: %v",
				readers, messages, counts["xread"], reads, 2*messages+10, 5*messages, counts)
		}
	}
}

func TestReconnectStormSharesReads(t *testing.T) {
	t.Parallel()
	fx := newFixture(t, streams.Options{})
	cursor := fx.stored[9].Cursor
	fx.post(700)
	fx.Client.ConfigResetStat(context.Background())
	const readers = 2000
	done := make(chan error, readers)
	for range readers {
		f := follow(t, fx.store, "lobby", streams.After(cursor))
		go func() {
			for at := cursor; at.ID.Before(fx.stored[709].Cursor.ID); {
				read, err := f.reader.Next(context.Background())
				if err != nil {
					done <- err
					return
				}
				if read.Batch != nil {
					at = read.Batch.Upto
				}
			}
			done <- nil
		}()
	}
	for range readers {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	counts := commandCalls(t, fx.Client)
	t.Logf("%d readers, 700 entries each: %v", readers, counts)
	if sum(counts) > 60 {
		t.Errorf("got %d commands for %d readers at one cursor, want at most 60: %v", sum(counts), readers, counts)
	}
}

func TestCatchUpFromFarBehind(t *testing.T) {
	t.Parallel()
	runFixtures(t, streams.Options{}, func(fx *fixture) {
		const behind = 30_000
		fill(fx, fx.Client, behind)
		f := follow(fx.T, fx.store, "lobby", streams.After(fx.stored[9].Cursor))
		f.expect(behind)
		for i, entry := range f.entries {
			if entry.Number != int64(11+i) {
				fx.Fatalf("entry %d: got number %d, want %d", i, entry.Number, 11+i)
			}
		}
		fx.post(1)
		f.expect(behind + 1)
	})
}

// The first windows fill up while there are only a few, so each gets a large share of the memory. They must
// shrink later, even without new entries.
func TestQuietWindowsShrink(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	redistest.RunReal(t, func(t *testing.T, backend redistest.Backend) {
		store := redistest.Open(t, streams.Options{Redis: backend.Redis})
		const most = 1 << 20
		streams.SetMaxWindowsBytes(store, most)
		text := strings.Repeat("a long story ", 300)
		for i := range 8 {
			room := fmt.Sprint("room-", i)
			f := follow(t, store, room, streams.Newest(0))
			f.nextState()
			for range most / len(text) / (i + 1) {
				post(t, store, room, text)
			}
			f.expect(most / len(text) / (i + 1))
		}
		held := streams.WindowsBytes(store)
		eventually(t, "quiet windows to shrink", func() bool { return streams.WindowsBytes(store) <= most })
		t.Logf("8 windows held %d bytes at first, and %d later", held, streams.WindowsBytes(store))
		post(t, store, "room-0", "next")
		follow(t, store, "room-0", streams.Newest(500)).expect(most/len(text) + 1)
	})
}

// Some hosts charge for the bytes sent to Redis, and every page load reads the list of rooms.
func TestRoomListSendsFewBytes(t *testing.T) {
	t.Parallel()
	ctx, server := context.Background(), redistest.Start(t)
	client := server.Client()
	defer client.Close()
	store := redistest.Open(t, streams.Options{Redis: server.Redis()})
	for i := range 100 {
		post(t, store, fmt.Sprint("room-", i), "x")
	}
	list := func() (bytes int) {
		t.Helper()
		before := networkBytes(t, client, "input")
		if rooms, err := store.As(ada).Rooms(ctx, 100); err != nil || len(rooms) != 100 {
			t.Fatalf("got %d rooms, %v, want 100", len(rooms), err)
		}
		return networkBytes(t, client, "input") - before
	}
	list() // loads the scripts
	if bytes := list(); bytes > 40_000 {
		t.Errorf("sent %d bytes for the list, want at most 40,000", bytes)
	}
	client.ScriptFlush(ctx)
	list()
}
