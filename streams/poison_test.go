package streams_test

import (
	"context"
	"errors"
	"fmt"
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
				page, err := store.As(ada).Page(context.Background(), "lobby", streams.Where{Limit: 50})
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

// Somebody sets a room's key to what is no stream.
func TestRoomThatIsNoStreamIsNobodyElsesTrouble(t *testing.T) {
	t.Parallel()
	redistest.RunReal(t, func(t *testing.T, backend redistest.Backend) {
		ctx := context.Background()
		status := make(chan bool, 10)
		g := groundOn(t, backend, streams.Options{OnStatus: func(away bool) { status <- away }})
		neighbour := sameBucket("lobby")
		say(t, g.store, neighbour, "0")
		spoilt := follow(t, g.store, "lobby", streams.Newest(50))
		fine := follow(t, g.store, neighbour, streams.Newest(50))
		spoilt.has(10)
		fine.has(1)
		g.do("DEL", lobbyKey)
		g.do("SET", lobbyKey, "no stream")

		if err := tell(g.store, "lobby", "x"); !errors.Is(err, streams.ErrUnavailable) {
			t.Errorf("stored in no stream: %v", err)
		}
		// Both are looked at when all is quiet, and when the connection breaks.
		spoilt.until("an error", func() bool { _, err := spoilt.step(); return errors.Is(err, streams.ErrUnavailable) })
		g.Each(t, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
		for i := range 5 {
			within(t, "the neighbour to be written to", func() bool { return tell(g.store, neighbour, "fine") == nil })
			fine.has(i + 2)
		}
		if rooms, err := g.store.As(ada).Rooms(ctx, 10); err != nil || len(rooms) != 1 || rooms[0].Name != neighbour {
			t.Errorf("rooms %v, %v", rooms, err)
		}
		if len(fine.states) != 1 || len(status) != 0 {
			t.Errorf("the neighbour was told %v; %d times away", fine.states, len(status))
		}

		g.do("DEL", lobbyKey)
		g.say(1)
		if got := spoilt.state(); got.State != streams.Reset {
			t.Errorf("told %v, want reset", got)
		}
		spoilt.has(11)
	})
}

// sameBucket is another room that shares its activity stream with the room.
func sameBucket(room string) string {
	for i := 0; ; i++ {
		if other := fmt.Sprint("room-", i); streams.ActivityKey(other) == streams.ActivityKey(room) {
			return other
		}
	}
}
