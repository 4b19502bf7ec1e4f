package streams_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"burble/streams"
	"burble/streams/conns"
	"burble/streams/redistest"

	"github.com/redis/go-redis/v9"
)

// calls counts the commands that Redis ran, by name, scripts' own left out.
func calls(t testing.TB, client redis.UniversalClient) map[string]int {
	t.Helper()
	info, err := client.Info(context.Background(), "commandstats").Result()
	if err != nil {
		t.Fatal(err)
	}
	counts := make(map[string]int)
	for line := range strings.Lines(info) {
		name, stats, found := strings.Cut(strings.TrimPrefix(line, "cmdstat_"), ":")
		var count int
		if _, err := fmt.Sscanf(stats, "calls=%d", &count); found && err == nil {
			counts[name] = count
		}
	}
	delete(counts, "info")
	delete(counts, "config|resetstat")
	return counts
}

func sum(counts map[string]int) (all int) {
	for _, count := range counts {
		all += count
	}
	return all
}

// connections is how many a server's clients have open, but for this client's own.
func connections(t testing.TB, client *redis.Client) int {
	t.Helper()
	list, err := client.Do(context.Background(), "CLIENT", "LIST").Text()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Count(list, "\n") - 1
}

func TestTwoThousandRoomsCostNothingWhenNobodyTalks(t *testing.T) {
	if testing.Short() {
		t.Skip("it listens for a minute")
	}
	server := redistest.Start(t)
	client := server.Client()
	defer client.Close()
	restore := streams.SetMaxBlock(20 * time.Second) // as in earnest
	store := redistest.Open(t, streams.Options{Redis: server.Redis()})
	restore()
	t.Parallel()
	var followers []*follower
	for i := range 2000 {
		room := fmt.Sprint("room-", i)
		say(t, store, room, "x")
		for range 3 {
			followers = append(followers, follow(t, store, room, streams.Newest(5)))
		}
	}
	for _, f := range followers {
		f.has(1)
	}
	if n := connections(t, client); n > conns.MaxPerRedis {
		t.Errorf("%d connections", n)
	}
	say(t, store, "room-0", "y") // the tail has checked all rooms when it reads this
	followers[0].has(2)
	client.ConfigResetStat(context.Background())
	time.Sleep(62 * time.Second) // what happens in it is what is measured
	counts := calls(t, client)
	t.Logf("in 62 s of quiet, with %d connections: %v", connections(t, client), counts)
	if sum(counts) > 8 {
		t.Errorf("%d commands in a quiet minute: %v", sum(counts), counts)
	}
	say(t, store, "room-7", "y")
	followers[7*3].has(2)
}

func TestReadsDoNotGrowWithReaders(t *testing.T) {
	t.Parallel()
	for _, readers := range []int{1, 500} {
		g := newGround(t, streams.Options{})
		var followers []*follower
		for range readers {
			followers = append(followers, follow(t, g.store, "lobby", streams.Newest(10)))
		}
		for _, f := range followers {
			f.has(10)
		}
		g.Client.ConfigResetStat(context.Background())
		const messages = 50
		for i := range messages {
			g.say(1)
			followers[0].has(11 + i) // so that each is a batch of its own
		}
		for _, f := range followers {
			f.has(10 + messages)
		}
		counts := calls(t, g.Client)
		reads := counts["xread"] + counts["xrange"] + counts["xrevrange"] + counts["exists"] + counts["hmget"]
		t.Logf("%d readers, %d batches: %v", readers, messages, counts)
		// append.lua reads the room too: EXISTS, HMGET. A batch is two XREADs.
		if counts["xread"] > 2*messages+10 || reads > 5*messages {
			t.Errorf("%d readers, %d batches: %v", readers, messages, counts)
		}
	}
}

func TestReadersThatComeBackTogetherAreOneRead(t *testing.T) {
	t.Parallel()
	g := newGround(t, streams.Options{})
	cursor := g.told[9].Cursor
	g.say(700)
	g.Client.ConfigResetStat(context.Background())
	const readers = 2000
	done := make(chan error, readers)
	for range readers {
		f := follow(t, g.store, "lobby", streams.After(cursor))
		go func() {
			for at := cursor; at.ID.Before(g.told[709].Cursor.ID); {
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
	counts := calls(t, g.Client)
	t.Logf("%d readers, 700 entries each: %v", readers, counts)
	if sum(counts) > 60 {
		t.Errorf("%d commands for %d readers at one place: %v", sum(counts), readers, counts)
	}
}

func TestFarBehindEverythingArrivesInPages(t *testing.T) {
	t.Parallel()
	grounds(t, streams.Options{}, func(g *ground) {
		const behind = 30_000
		fill(g, g.Client, behind)
		f := follow(g.T, g.store, "lobby", streams.After(g.told[9].Cursor))
		f.has(behind)
		for i, entry := range f.all {
			if entry.N != int64(11+i) {
				g.Fatalf("entry %d has number %d", i, entry.N)
			}
		}
		g.say(1)
		f.has(behind + 1)
	})
}

// fill appends messages to the lobby as append.lua does, faster.
func fill(t testing.TB, client redis.UniversalClient, count int) {
	t.Helper()
	const script = `
		local n = tonumber(redis.call('HGET', KEYS[2], 'n'))
		for i = 1, ARGV[1] do
			redis.call('XADD', KEYS[1], '*', 'kind', 'message', 'n', n + i, 'key', 'k' .. n + i,
				'uid', 'u', 'name', 'Eve', 'text', 'filled ' .. i)
		end
		redis.call('HSET', KEYS[2], 'n', n + ARGV[1])`
	for ; count > 0; count -= 1000 {
		keys := []string{lobbyKey, lobbyKey + ":meta"}
		err := client.Eval(context.Background(), script, keys, min(count, 1000)).Err()
		if err != nil && err != redis.Nil {
			t.Fatal(err)
		}
	}
}

// Each was filled when there were fewer, and had a larger share of the memory.
func TestRoomsThatFellSilentGiveMemoryBack(t *testing.T) {
	t.Parallel()
	redistest.RunReal(t, func(t *testing.T, backend redistest.Backend) {
		store := redistest.Open(t, streams.Options{Redis: backend.Redis})
		const most = 1 << 20
		streams.SetMaxWindowsBytes(store, most)
		text := strings.Repeat("a long story ", 300)
		for i := range 8 {
			room := fmt.Sprint("room-", i)
			f := follow(t, store, room, streams.Newest(0))
			f.state()
			for range most / len(text) / (i + 1) {
				say(t, store, room, text)
			}
			f.has(most / len(text) / (i + 1))
		}
		held := streams.WindowsBytes(store)
		for deadline := time.Now().Add(time.Minute); streams.WindowsBytes(store) > most; time.Sleep(10 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("8 silent rooms hold %d bytes of %d", streams.WindowsBytes(store), most)
			}
		}
		t.Logf("8 rooms held %d bytes, and %d when they had fallen silent", held, streams.WindowsBytes(store))
		say(t, store, "room-0", "go on")
		follow(t, store, "room-0", streams.Newest(500)).has(most/len(text) + 1)
	})
}

// A host may bill what is sent to Redis, and each page that is opened asks for the list.
func TestListOfAHundredRoomsIsAskedForInFewBytes(t *testing.T) {
	t.Parallel()
	ctx, server := context.Background(), redistest.Start(t)
	client := server.Client()
	defer client.Close()
	store := redistest.Open(t, streams.Options{Redis: server.Redis()})
	for i := range 100 {
		say(t, store, fmt.Sprint("room-", i), "x")
	}
	list := func() (bytes int) {
		t.Helper()
		received := func() (total int) {
			for line := range strings.Lines(client.Info(ctx, "stats").Val()) {
				fmt.Sscanf(line, "total_net_input_bytes:%d", &total)
			}
			return total
		}
		before := received()
		if rooms, err := store.As(ada).Rooms(ctx, 100); err != nil || len(rooms) != 100 {
			t.Fatalf("%d rooms, %v", len(rooms), err)
		}
		return received() - before
	}
	list() // Redis has the scripts from then on
	if bytes := list(); bytes > 40_000 {
		t.Errorf("%d bytes were sent for the list", bytes)
	}
	client.ScriptFlush(ctx)
	list()
}
