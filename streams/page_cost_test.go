package streams_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"burble/streams"
	"burble/streams/redistest"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"
)

// reactions appends count entries that alternately add a reaction to the message and remove it.
func reactions(t testing.TB, store *streams.Store, of streams.ID, count int) {
	t.Helper()
	var sending sync.WaitGroup
	for author := range 20 {
		user := streams.User{ID: fmt.Sprint("author ", author), Name: "A"}
		sending.Go(func() {
			for i := range count / 20 {
				entry := streams.Entry{Kind: streams.React, Key: uuid.NewString(), Of: of, Emoji: "👍", On: i%2 == 0}
				if _, err := store.As(user).Append(context.Background(), "lobby", entry); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	sending.Wait()
}

// maxPageTime is the maximum time that Redis may spend on a page of one message. See redisTime.
const maxPageTime = 6.0

func TestPagesSkipLongRunsOfReactions(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	backend := redistest.Single(t)
	store := redistest.Open(t, streams.Options{Redis: backend.Redis})
	expect := func(what string, query streams.PageQuery, want string) {
		t.Helper()
		var got streams.Page
		took := redisTime(t, backend.Client, maxPageTime, func() { got = page(t, store, query) })
		t.Logf("%s: %.2f units, %d entries examined", what, took, got.Examined)
		if texts(got.Entries) != want || took > maxPageTime {
			t.Errorf("%s: got %q after %.2f units of time, want %q within %v", what, texts(got.Entries), took, want, maxPageTime)
		}
	}
	first := post(t, store, "lobby", "first").Cursor.ID
	expect("the only message", streams.PageQuery{Limit: 1}, "first")
	reactions(t, store, first, 4200)
	expect("a run at the end", streams.PageQuery{Limit: 1}, "first")
	expect("nothing after it", streams.PageQuery{After: first, Limit: 50}, "")
	second := post(t, store, "lobby", "second").Cursor.ID
	reactions(t, store, first, 4200)
	third := post(t, store, "lobby", "third").Cursor.ID
	expect("the newest", streams.PageQuery{Limit: 50}, "first second third")
	expect("backward over a run", streams.PageQuery{Before: second, Limit: 1}, "first")
	expect("backward from within a run", streams.PageQuery{Before: streams.ID{Millis: third.Millis - 1}, Limit: 2}, "first second")
	expect("forward over a run", streams.PageQuery{After: first, Limit: 2}, "second third")
	expect("around", streams.PageQuery{Around: second, Limit: 3}, "first second third")
	amend(t, store, streams.Delete, second, "")
	expect("past a deleted message", streams.PageQuery{Limit: 3}, "first  third")
	expect("forward past a deleted message", streams.PageQuery{After: first, Limit: 3}, " third")
}

// A room may begin with thousands of topics. A page must not search them for older messages.
func TestPageOfRoomWithManyTopics(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	backend := redistest.Single(t)
	store := redistest.Open(t, streams.Options{Redis: backend.Redis})
	for i := range 5000 {
		entry := streams.Entry{Kind: streams.Topic, Key: uuid.NewString(), Text: fmt.Sprint(i)}
		if _, err := store.As(ada).Append(context.Background(), "lobby", entry); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{"", "first", "first second"} {
		var got streams.Page
		took := redisTime(t, backend.Client, maxPageTime, func() { got = page(t, store, streams.PageQuery{Limit: 50}) })
		if texts(got.Entries) != want || !got.Older.IsZero() || took > maxPageTime {
			t.Errorf("got %q and Older %v after %.2f units of time, want %q within %v", texts(got.Entries), got.Older, took, want, maxPageTime)
		}
		post(t, store, "lobby", []string{"first", "second"}[min(1, len(got.Entries))])
	}
}

// The previous release recorded neither runs nor the number of messages.
func TestPagesOfOlderReleaseAreBoundedAndComplete(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	backend := redistest.Single(t)
	store := redistest.Open(t, streams.Options{Redis: backend.Redis})
	first := post(t, store, "lobby", "first").Cursor.ID
	for range 3 {
		reactions(t, store, first, 4200)
		post(t, store, "lobby", "more")
	}
	removeCounts(t, backend.Client)
	for _, forward := range []bool{false, true} {
		found, pages, most := "", 0, 0
		query := streams.PageQuery{Limit: 1}
		if forward {
			query.After = streams.ID{Seq: 1}
		}
		for ; pages < 100; pages++ {
			at := page(t, store, query)
			most = max(most, at.Examined)
			found += texts(at.Entries) + " "
			query.Before, query.After = at.Older, streams.ID{}
			if forward {
				query.Before, query.After = streams.ID{}, at.Newer
			}
			if query.Before.IsZero() && query.After.IsZero() {
				break
			}
		}
		if got := strings.Fields(found); len(got) != 4 || pages == 100 || most > 2500 {
			t.Errorf("forward %v: got %q on %d pages of up to %d entries, want 4 messages and at most 2,500 entries", forward, got, pages, most)
		}
	}
}

// Servers of this release and the previous one append to the same room.
func TestPagesOfRoomWrittenByTwoReleases(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		seed := uint64(time.Now().UnixNano())
		t.Logf("seed %d", seed)
		random := rand.New(rand.NewPCG(seed, 2))
		store := redistest.Open(t, streams.Options{Redis: backend.Redis})
		ids := []streams.ID{post(t, store, "lobby", "0").Cursor.ID}
		want := "0"
		for n := range scaled(backend, 2000) {
			switch chance := random.IntN(60); {
			case chance == 0:
				appendAsOlderRelease(t, backend.Client, fmt.Sprint(n))
				want += fmt.Sprint(" ", n)
			case chance == 1:
				ids = append(ids, post(t, store, "lobby", fmt.Sprint(n)).Cursor.ID)
				want += fmt.Sprint(" ", n)
			default:
				amend(t, store, streams.React, ids[random.IntN(len(ids))], "👍")
			}
		}
		for _, limit := range []int{1, 2, 50} {
			backward, forward := "", ""
			for at := page(t, store, streams.PageQuery{Limit: limit}); ; {
				backward = texts(at.Entries) + " " + backward
				if at.Older.IsZero() {
					break
				}
				at = page(t, store, streams.PageQuery{Before: at.Older, Limit: limit})
			}
			for at := page(t, store, streams.PageQuery{After: streams.ID{Seq: 1}, Limit: limit}); ; {
				forward += " " + texts(at.Entries)
				if at.Newer.IsZero() {
					break
				}
				at = page(t, store, streams.PageQuery{After: at.Newer, Limit: limit})
			}
			for direction, got := range map[string]string{"backward": backward, "forward": forward} {
				if got = strings.Join(strings.Fields(got), " "); got != want {
					t.Errorf("%s, %d per page: got %q, want %q", direction, limit, got, want)
				}
			}
		}
	})
}

// appendAsOlderRelease appends a message as append.lua of the previous release did.
func appendAsOlderRelease(t testing.TB, client redistest.Client, text string) {
	t.Helper()
	const script = `
		local n = redis.call('HINCRBY', KEYS[2], 'n', 1)
		redis.call('HINCRBY', KEYS[2], 'messages', 1)
		return redis.call('XADD', KEYS[1], '*', 'kind', 'message', 'n', n, 'key', 'k' .. n, 'uid', 'u', 'name', 'Eve', 'text', ARGV[1])`
	if err := client.Eval(context.Background(), script, []string{lobbyKey, lobbyKey + ":meta"}, text).Err(); err != nil {
		t.Fatal(err)
	}
}

func TestRunsAreTrimmed(t *testing.T) {
	t.Parallel()
	runFixtures(t, streams.Options{MaxCount: 100}, func(fx *fixture) {
		runs := func() int64 { return fx.Client.XLen(context.Background(), lobbyKey+":runs").Val() }
		for range 4 {
			reactions(fx, fx.store, fx.stored[len(fx.stored)-1].Cursor.ID, 20)
			fx.post(1)
		}
		if runs() != 4 {
			fx.Fatalf("got %d runs, want 4", runs())
		}
		fx.post(100)
		if runs() > 1 {
			fx.Errorf("after the trim: got %d runs, want at most 1", runs())
		}
		reactions(fx, fx.store, fx.stored[len(fx.stored)-1].Cursor.ID, 20)
		fx.post(1)
		fx.do("DEL", lobbyKey)
		fx.post(1)
		if runs() != 0 {
			fx.Errorf("after the room was deleted: got %d runs, want 0", runs())
		}
	})
}

// removeCounts removes the fields and keys that the previous release did not write.
func removeCounts(t testing.TB, client redistest.Client) {
	t.Helper()
	ctx := context.Background()
	entries, err := client.XRange(ctx, lobbyKey, "-", "+").Result()
	if err != nil {
		t.Fatal(err)
	}
	client.Del(ctx, lobbyKey, lobbyKey+":runs")
	client.HDel(ctx, lobbyKey+":meta", "message", "message_n", "message_m")
	for _, entry := range entries {
		delete(entry.Values, "m")
		values := []any{"kind", entry.Values["kind"]}
		for name, value := range entry.Values {
			if name != "kind" {
				values = append(values, name, value)
			}
		}
		if err := client.XAdd(ctx, &redis.XAddArgs{Stream: lobbyKey, ID: entry.ID, Values: values}).Err(); err != nil {
			t.Fatal(err)
		}
	}
}
