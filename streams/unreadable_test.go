package streams_test

import (
	"context"
	"errors"
	"testing"

	"burble/streams"
	"burble/streams/redistest"
)

func TestUnreadableEntriesAreSkipped(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	unreadable := map[string][]any{
		"garbage":                  {"a", "b"},
		"no number":                {"kind", "message", "uid", "u", "text", "x"},
		"a bad number":             {"kind", "message", "n", "x", "uid", "u", "text", "x"},
		"an unknown kind":          {"kind", "party", "n", "1", "uid", "u"},
		"an edit without a target": {"kind", "edit", "n", "1", "uid", "u", "of", "x", "text", "x"},
		"a bad reply":              {"kind", "message", "n", "1", "uid", "u", "re", "x", "text", "x"},
	}
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		for name, fields := range unreadable {
			t.Run(name, func(t *testing.T) {
				backend.Flush(t)
				store := redistest.Open(t, streams.Options{Redis: backend.Redis})
				add := func(fields ...any) {
					args := append([]any{"XADD", lobbyKey, "*"}, fields...)
					if err := backend.Client.Do(context.Background(), args...).Err(); err != nil {
						t.Fatal(err)
					}
				}
				addUnreadable := func() { add(fields...) }
				add("garbage", "before the first entry")
				f := follow(t, store, "lobby", streams.Newest(50))
				f.expect(1)
				post(t, store, "lobby", "one")
				f.expect(2)
				addUnreadable() // in between
				addUnreadable()
				post(t, store, "lobby", "two")
				f.expect(5)
				addUnreadable() // at the end
				late := follow(t, store, "lobby", streams.After(streams.Cursor{}))
				late.expect(5) // the last entry is missing, because the activity stream does not mention it
				post(t, store, "lobby", "three")
				post(t, store, "lobby", "four")
				late.expect(8)
				f.expect(8)
				if len(f.states) != 1 {
					t.Errorf("got states %v, want one", f.states)
				}
				expectUnreadable(t, f.entries)
				expectUnreadable(t, late.entries)
				page, err := store.As(ada).Page(context.Background(), "lobby", streams.PageQuery{Limit: 50})
				if err != nil || texts(page.Entries) != "one two three four" {
					t.Errorf("page: got %q, %v, want \"one two three four\"", texts(page.Entries), err)
				}
			})
		}
	})
}

func expectUnreadable(t *testing.T, entries []streams.Entry) {
	t.Helper()
	n := int64(0)
	for i, entry := range entries {
		isUnreadable := i == 0 || i == 2 || i == 3 || i == 5
		if (entry.Kind == streams.Unreadable) != isUnreadable || entry.ID.IsZero() {
			t.Errorf("entry %d: got %+v, want a nonzero ID, and Kind == Unreadable to be %v", i, entry, isUnreadable)
		}
		if isUnreadable {
			continue
		}
		if n++; entry.Number != n {
			t.Errorf("entry %d: got number %d, want %d", i, entry.Number, n)
		}
	}
}

// Another program may set a room's key to a string.
func TestRoomOfWrongTypeDoesNotAffectOthers(t *testing.T) {
	t.Parallel()
	redistest.RunReal(t, func(t *testing.T, backend redistest.Backend) {
		ctx := context.Background()
		status := make(chan bool, 10)
		fx := newFixtureOn(t, backend, streams.Options{OnStatus: func(away bool) { status <- away }})
		other := roomInSameBucket("lobby")
		post(t, fx.store, other, "0")
		broken := follow(t, fx.store, "lobby", streams.Newest(50))
		intact := follow(t, fx.store, other, streams.Newest(50))
		broken.expect(10)
		intact.expect(1)
		fx.do("DEL", lobbyKey)
		fx.do("SET", lobbyKey, "not a stream")

		if err := tryPost(fx.store, "lobby", "x"); !errors.Is(err, streams.ErrUnavailable) {
			t.Errorf("append to a string: got error %v, want ErrUnavailable", err)
		}
		// The tail reads both rooms when it checks idle rooms, and again after its connection breaks.
		broken.readUntil("an error", func() bool { _, err := broken.next(); return errors.Is(err, streams.ErrUnavailable) })
		fx.DoOnEach(t, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
		for i := range 5 {
			eventually(t, "an append to the other room to succeed", func() bool { return tryPost(fx.store, other, "fine") == nil })
			intact.expect(i + 2)
		}
		if rooms, err := fx.store.As(ada).Rooms(ctx, 10); err != nil || len(rooms) != 1 || rooms[0].Name != other {
			t.Errorf("got rooms %v, %v, want only %s", rooms, err, other)
		}
		if len(intact.states) != 1 || len(status) != 0 {
			t.Errorf("reader of the other room: got states %v and %d status changes, want one and none", intact.states, len(status))
		}

		fx.do("DEL", lobbyKey)
		fx.post(1)
		if got := broken.nextState(); got.State != streams.Reset {
			t.Errorf("got state %v, want reset", got)
		}
		broken.expect(11)
	})
}
