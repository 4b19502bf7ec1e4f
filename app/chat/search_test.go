package chat

import (
	"log/slog"
	"testing"

	"burble/app/identity"
	"burble/streams"
	"burble/streams/redistest"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"
)

// One address must not run more searches by creating more users.
func TestSearchesAtOnceAreLimited(t *testing.T) {
	t.Parallel()
	quotas := newSearchQuotas()
	var releases []func()
	for range searchesByAddress {
		release, ok := quotas.take(identity.User{ID: uuid.NewString()}, "203.0.113.1")
		if !ok {
			t.Fatal("refused within the limit")
		}
		releases = append(releases, release)
	}
	if _, ok := quotas.take(ada, "203.0.113.1"); ok {
		t.Error("one search too many of the address is allowed")
	}
	release, ok := quotas.take(ada, "203.0.113.2")
	if !ok {
		t.Fatal("another address is refused")
	}
	if _, ok := quotas.take(ada, "203.0.113.3"); ok {
		t.Error("two searches of one user are allowed at once")
	}
	release()
	for _, release := range releases {
		release()
	}
	if _, ok := quotas.take(ada, "203.0.113.1"); !ok {
		t.Error("refused after the other searches have ended")
	}
}

// A room may have few messages among many reactions. A search must not read all of those at once,
// and the next search must continue where it stopped.
func TestSearchOfARoomWithFewMessagesIsBounded(t *testing.T) {
	t.Parallel()
	backend := redistest.Single(t)
	store := redistest.Open(t, streams.Options{Redis: backend.Redis})
	service := New(store, Options{Log: slog.New(slog.DiscardHandler)})
	if _, err := service.Append(ada, "lobby", streams.Entry{Kind: streams.Message, Key: uuid.NewString(), Text: "needle"}); err != nil {
		t.Fatal(err)
	}
	const maxReads, perRead = 3, 4_100
	room := backend.Client.Keys(t.Context(), "*:room:lobby").Val()
	const addReactions = "for _ = 1, tonumber(ARGV[1]) do redis.call('XADD', KEYS[1], '*', 'kind', 'react') end"
	if err := backend.Client.Eval(t.Context(), addReactions, room, maxReads*perRead).Err(); err != nil && err != redis.Nil {
		t.Fatal(err)
	}
	run := func(before streams.ID) (found, searched int, older streams.ID) {
		t.Helper()
		search, err := service.Search(ada, "203.0.113.1", Query{Room: "lobby", Text: "needle", Before: before})
		if err != nil {
			t.Fatal(err)
		}
		defer search.Close()
		search.maxReads = maxReads
		searched, older, err = search.Run(func(*streams.Entry) bool { found++; return true })
		if err != nil {
			t.Fatal(err)
		}
		return found, searched, older
	}
	found, searched, older := run(streams.ID{})
	if found != 0 || searched != 0 || older.IsZero() {
		t.Fatalf("found %d of %d messages, next before %v; want none, and an ID", found, searched, older)
	}
	if found, searched, older = run(older); found != 1 || searched != 1 || !older.IsZero() {
		t.Errorf("then found %d of %d messages, next before %v; want the needle", found, searched, older)
	}
}
