package chat

import (
	"fmt"
	"log/slog"
	"testing"

	"burble/app/identity"
	"burble/app/limit"
	"burble/streams"
	"burble/streams/redistest"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"
)

// A client must not be able to run more searches by creating more users.
func TestConcurrentSearchesAreLimited(t *testing.T) {
	t.Parallel()
	quotas := newSearchQuotas()
	var releases []func()
	for range searchesByAddress {
		release, ok := quotas.acquire(identity.User{ID: uuid.NewString()}, "203.0.113.1")
		if !ok {
			t.Fatal("a search within the limit was refused")
		}
		releases = append(releases, release)
	}
	if _, ok := quotas.acquire(ada, "203.0.113.1"); ok {
		t.Error("the address was allowed to exceed its limit")
	}
	release, ok := quotas.acquire(ada, "203.0.113.2")
	if !ok {
		t.Fatal("another address was refused")
	}
	if _, ok := quotas.acquire(ada, "203.0.113.3"); ok {
		t.Error("a user was allowed to run two searches")
	}
	release()
	for _, release := range releases {
		release()
	}
	if _, ok := quotas.acquire(ada, "203.0.113.1"); !ok {
		t.Error("refused after all other searches ended")
	}
}

// A search must stop after a limited number of reads even if nearly all entries are reactions. The
// next search must continue where it stopped.
func TestSearchIsBoundedInRoomWithFewMessages(t *testing.T) {
	t.Parallel()
	backend := redistest.Single(t)
	store := redistest.Open(t, streams.Options{Redis: backend.Redis})
	service := New(store, Options{Log: slog.New(slog.DiscardHandler)})
	if _, err := service.Append(ada, "", "lobby", streams.Entry{Kind: streams.Message, Key: uuid.NewString(), Text: "needle"}); err != nil {
		t.Fatal(err)
	}
	const maxReads, perRead = 3, 1_300 // a read examines 1,000 to 1,250 entries
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
		t.Fatalf("first search: found %d of %d messages, older %v; want 0 of 0 and an ID", found, searched, older)
	}
	if found, searched, older = run(older); found != 1 || searched != 1 || !older.IsZero() {
		t.Errorf("second search: found %d of %d messages, older %v; want 1 of 1 and the zero ID", found, searched, older)
	}
}

// Searches from one address share a limit of entries read per second, whichever users run them.
func TestSearchesAreChargedForEntriesRead(t *testing.T) {
	t.Parallel()
	store := redistest.Open(t, streams.Options{Redis: redistest.Single(t).Redis})
	service := New(store, Options{Log: slog.New(slog.DiscardHandler)})
	service.searchedEntries = limit.NewRate(0.001, 10)
	for range 20 {
		if _, err := service.Append(ada, "", "lobby", streams.Entry{Kind: streams.Message, Key: uuid.NewString(), Text: "hay"}); err != nil {
			t.Fatal(err)
		}
	}
	search := func(address string) error {
		search, err := service.Search(identity.User{ID: uuid.NewString()}, address, Query{Room: "lobby", Text: "needle"})
		if err != nil {
			return err
		}
		defer search.Close()
		_, _, err = search.Run(func(*streams.Entry) bool { return true })
		return err
	}
	for _, address := range []string{"203.0.113.1", "203.0.113.2"} {
		if err := search(address); err != nil {
			t.Errorf("first search of %s: %v", address, err)
		}
		if err := search(address); err == nil {
			t.Errorf("the second search of %s was not refused", address)
		}
	}
}

func TestSearchesOfAllAddressesAreLimited(t *testing.T) {
	t.Parallel()
	quotas := newSearchQuotas()
	var first func()
	for i := range searchesAtOnce {
		release, ok := quotas.acquire(identity.User{ID: uuid.NewString()}, fmt.Sprint("203.0.113.", i))
		if !ok {
			t.Fatal("a search within the limit was refused")
		}
		first = release
	}
	for range 2 { // a refused search must not count
		if _, ok := quotas.acquire(ada, "198.51.100.1"); ok {
			t.Error("one search too many was allowed")
		}
	}
	first()
	if _, ok := quotas.acquire(ada, "198.51.100.1"); !ok {
		t.Error("refused after another search ended")
	}
}
