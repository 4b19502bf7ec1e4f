package streams_test

// The helpers that several test files use:
//
//	ada, bob, lobbyKey, activityKey    two users; keys of the room "lobby"
//	post, postRetrying, tryPost, amend, appendAll
//	follow, follower                   follower_test.go: a reader and its results
//	texts                              the texts of entries
//	fixture, newFixture, runFixtures   a real Redis with a Store and ten messages
//	page                               a page of "lobby"
//	fill, fillRoom                     append many entries at once
//	dump                               returns the contents of all keys
//	redisTime                          the time that Redis spends on commands
//	commandCalls, sum, connections     counts of commands and connections
//	networkBytes                       bytes that Redis has received or sent
//	clientOf, startPrimary, replicaArgs
//	eventually, nextMillisecond        wait
//	foldedRoom, appendRandom           fold_test.go: a room's messages in their current state
//	load, startLoad                    load_test.go: authors and readers during a failover
//	pair, newPair                      failover_test.go: a primary and a replica that is behind
//	side                               sentinel_test.go: one side of a network partition
//	roomInSameBucket                   activity_test.go
//	account, asAccount, privateRoom, setMember, mustPage   helpers_rooms_test.go: accounts and their rooms
//	upload, send, withFiles            files_test.go: messages with files
//	cleaner                            file_removal_test.go: claims unreferenced files the way the cleanup job does
//	removalRoom, newRemovalRoom        removal_test.go: a private room whose members are removed
//	tap, newTapped                     removal_races_test.go: run code in the middle of a request
//	writeMessage, remove               removal_races_test.go: append entries to a private room
//
// Package redistest provides the Redis servers, proxies, Sentinels and Clusters.

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"burble/streams"
	"burble/streams/redistest"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"
)

var (
	ada = streams.User{ID: "11111111-1111-4111-8111-111111111111", Name: "Ada"}
	bob = streams.User{ID: "22222222-2222-4222-8222-222222222222", Name: "Bob"}

	lobbyKey    = streams.RoomKey("lobby")
	activityKey = streams.ActivityKey("lobby")
)

// post posts a message once, and fails the test on an error.
func post(t testing.TB, store *streams.Store, room, text string) streams.Stored {
	t.Helper()
	entry := streams.Entry{Kind: streams.Message, Key: uuid.NewString(), Text: text}
	stored, err := store.As(ada).Append(context.Background(), room, entry)
	if err != nil {
		t.Fatal(err)
	}
	return stored
}

// postRetrying posts a message and retries while the outcome is unknown, as a client does.
func postRetrying(t *testing.T, store *streams.Store, room, text string) {
	t.Helper()
	entry := streams.Entry{Kind: streams.Message, Key: uuid.NewString(), Text: text}
	eventually(t, "an append to succeed", func() bool {
		_, err := store.As(ada).Append(context.Background(), room, entry)
		if err != nil && !errors.Is(err, streams.ErrUnavailable) {
			t.Fatal(err)
		}
		return err == nil
	})
}

// tryPost posts a message once, and returns the error.
func tryPost(store *streams.Store, room, text string) error {
	entry := streams.Entry{Kind: streams.Message, Key: uuid.NewString(), Text: text}
	_, err := store.As(ada).Append(context.Background(), room, entry)
	return err
}

// amend appends an edit, a reaction or a deletion by Ada to the lobby.
func amend(t testing.TB, store *streams.Store, kind streams.Kind, of streams.ID, text string) streams.Stored {
	t.Helper()
	if kind == streams.Delete {
		nextMillisecond()
	}
	entry := streams.Entry{Kind: kind, Key: uuid.NewString(), User: ada, Of: of, Text: text}
	if kind == streams.React {
		entry.Emoji, entry.On, entry.Text = text, true, ""
	}
	stored, err := store.As(ada).Append(context.Background(), "lobby", entry)
	if err != nil {
		t.Fatal(err)
	}
	return stored
}

// appendAll runs authors that each post perAuthor messages to the lobby, one at a time, and retry while the
// outcome is unknown. Just before each message, an author calls mayContinue, and stops if it returns false. All
// authors stop at the end of the test. appendAll returns the ID of the stored message for each key.
func appendAll(t *testing.T, store *streams.Store, authors, perAuthor int, mayContinue func(author, i int) bool) map[string]streams.ID {
	t.Helper()
	ctx := t.Context()
	var mu sync.Mutex
	stored := make(map[string]streams.ID)
	var sending sync.WaitGroup
	for author := range authors {
		sending.Go(func() {
			user := streams.User{ID: fmt.Sprint("author ", author), Name: "A"}
			for i := range perAuthor {
				if !mayContinue(author, i) {
					return
				}
				entry := streams.Entry{Kind: streams.Message, Key: uuid.NewString(), Text: fmt.Sprint(i)}
				got, err := store.As(user).Append(ctx, "lobby", entry)
				for errors.Is(err, streams.ErrUnavailable) && ctx.Err() == nil {
					got, err = store.As(user).Append(ctx, "lobby", entry)
				}
				if ctx.Err() != nil {
					return
				}
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				stored[entry.Key] = got.Cursor.ID
				mu.Unlock()
			}
		})
	}
	sending.Wait()
	return stored
}

func texts(entries []streams.Entry) string {
	var all []string
	for _, entry := range entries {
		all = append(all, entry.Text)
	}
	return strings.Join(all, " ")
}

// A fixture is a real Redis or a Cluster, with a Store and ten messages in "lobby".
type fixture struct {
	*testing.T
	redistest.Backend
	store  *streams.Store
	stored []streams.Stored // everything that post has stored
}

// newFixture returns a fixture on a single Redis.
func newFixture(t *testing.T, options streams.Options) *fixture {
	t.Helper()
	return newFixtureOn(t, redistest.Single(t), options)
}

func newFixtureOn(t *testing.T, backend redistest.Backend, options streams.Options) *fixture {
	t.Helper()
	options.Redis = backend.Redis
	fx := &fixture{T: t, Backend: backend, store: redistest.Open(t, options)}
	fx.post(8)
	nextMillisecond() // so that appendWithSlowClock can use IDs between the eighth and the ninth
	fx.post(2)
	return fx
}

// runFixtures runs the body on a single Redis and on a Cluster.
func runFixtures(t *testing.T, options streams.Options, body func(fx *fixture)) {
	redistest.RunReal(t, func(t *testing.T, backend redistest.Backend) {
		body(newFixtureOn(t, backend, options))
	})
}

func (fx *fixture) post(count int) {
	fx.Helper()
	for range count {
		fx.stored = append(fx.stored, post(fx, fx.store, "lobby", fmt.Sprint(len(fx.stored))))
	}
}

func (fx *fixture) do(args ...any) {
	fx.Helper()
	if err := fx.Client.Do(context.Background(), args...).Err(); err != nil {
		fx.Fatalf("%v: got error %v, want none", args, err)
	}
}

// expectNextMessage posts a message and waits until the follower has it.
func (fx *fixture) expectNextMessage(f *follower) {
	fx.Helper()
	fx.post(1)
	last := fx.stored[len(fx.stored)-1].Cursor
	f.readUntil("the next message", func() bool {
		return len(f.entries) > 0 && f.entries[len(f.entries)-1].ID == last.ID
	})
}

func page(t *testing.T, store *streams.Store, query streams.PageQuery) streams.Page {
	t.Helper()
	page, err := store.As(ada).Page(context.Background(), "lobby", query)
	if err != nil {
		t.Fatalf("Page(%+v): %v", query, err)
	}
	return page
}

// fill adds messages by Eve straight to the lobby's stream, which is faster than Append. Apart from the stream, it
// updates only n and messages in the room's meta.
func fill(t testing.TB, client redistest.Client, count int) {
	t.Helper()
	fillRoom(t, client, "lobby", count, func(i int) string { return fmt.Sprint("filled ", i) })
}

func fillRoom(t testing.TB, client redistest.Client, room string, count int, text func(i int) string) {
	t.Helper()
	const script = `
		local meta = redis.call('HMGET', KEYS[2], 'n', 'messages')
		local n, m = tonumber(meta[1]), tonumber(meta[2])
		for i = 1, #ARGV do
			redis.call('XADD', KEYS[1], '*', 'kind', 'message', 'n', n + i, 'm', m + i, 'key', 'k' .. n + i,
				'uid', 'u', 'name', 'Eve', 'text', ARGV[i])
		end
		redis.call('HSET', KEYS[2], 'n', n + #ARGV, 'messages', m + #ARGV)`
	key := streams.RoomKey(room)
	for from := 1; from <= count; from += 1000 {
		var texts []any
		for i := from; i <= count && len(texts) < 1000; i++ {
			texts = append(texts, text(i))
		}
		err := client.Eval(context.Background(), script, []string{key, key + ":meta"}, texts...).Err()
		if err != nil && err != redis.Nil {
			t.Fatal(err)
		}
	}
}

// eventually polls until the condition is met.
func eventually(t testing.TB, what string, met func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !met(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("timed out waiting for %s", what)
		}
	}
}

// nextMillisecond waits for the next millisecond, so that a new entry cannot get the ID of a lost entry or,
// in miniredis, of a deleted one. Redis itself does not reuse the IDs of deleted entries.
func nextMillisecond() {
	for now := time.Now().UnixMilli(); time.Now().UnixMilli() == now; {
		runtime.Gosched()
	}
}
