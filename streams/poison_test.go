package streams_test

import (
	"context"
	"testing"

	"burble/streams"
	"burble/streams/redistest"
)

func TestPoisonEntriesArePassedOver(t *testing.T) {
	t.Parallel()
	poisons := map[string][]any{
		"garbage":               {"a", "b"},
		"no number":             {"kind", "message", "uid", "u", "text", "x"},
		"a number that is none": {"kind", "message", "n", "x", "uid", "u", "text", "x"},
		"an unknown kind":       {"kind", "party", "n", "1", "uid", "u"},
		"an edit of nothing":    {"kind", "edit", "n", "1", "uid", "u", "of", "x", "text", "x"},
		"a bad reply":           {"kind", "message", "n", "1", "uid", "u", "re", "x", "text", "x"},
	}
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		for name, fields := range poisons {
			t.Run(name, func(t *testing.T) {
				backend.Flush(t)
				store := redistest.Open(t, streams.Options{Redis: backend.Redis})
				add := func(fields ...any) {
					args := append([]any{"XADD", lobbyKey, "*"}, fields...)
					if err := backend.Client.Do(context.Background(), args...).Err(); err != nil {
						t.Fatal(err)
					}
				}
				poison := func() { add(fields...) }
				add("garbage", "before the room begins")
				f := follow(t, store, "lobby", streams.Newest(50))
				f.has(1)
				say(t, store, "lobby", "one")
				f.has(2)
				poison() // between
				poison()
				say(t, store, "lobby", "two")
				f.has(5)
				poison() // as the last one
				late := follow(t, store, "lobby", streams.After(streams.Cursor{}))
				late.has(5) // activity says nothing of the last
				say(t, store, "lobby", "three")
				say(t, store, "lobby", "four")
				late.has(8)
				f.has(8)
				if len(f.states) != 1 {
					t.Errorf("told %v", f.states)
				}
				checkPoisoned(t, f.all)
				checkPoisoned(t, late.all)
				page, err := store.Page(context.Background(), "lobby", streams.Where{Limit: 50})
				if err != nil || texts(page.Entries) != "one two three four" {
					t.Errorf("page %q, %v", texts(page.Entries), err)
				}
			})
		}
	})
}

func checkPoisoned(t *testing.T, entries []streams.Entry) {
	t.Helper()
	n := int64(0)
	for i, entry := range entries {
		poisoned := i == 0 || i == 2 || i == 3 || i == 5
		if (entry.Kind == streams.Unreadable) != poisoned || entry.ID.IsZero() {
			t.Errorf("entry %d: %+v", i, entry)
		}
		if poisoned {
			continue
		}
		if n++; entry.N != n {
			t.Errorf("entry %d has number %d, want %d", i, entry.N, n)
		}
	}
}
