package streams_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"burble/streams"
	"burble/streams/redistest"

	"github.com/google/uuid"
)

// heard waits for a signal of the kind and returns it.
func (f *follower) heard(kind streams.SignalKind) *streams.Signal {
	f.t.Helper()
	find := func(signal *streams.Signal) bool { return signal.Kind == kind }
	f.until("a signal "+string(kind), func() bool { return slices.ContainsFunc(f.signals, find) })
	i := slices.IndexFunc(f.signals, find)
	signal := f.signals[i]
	f.signals = slices.Delete(f.signals, i, i+1)
	return signal
}

// listens waits until the store hears of the room: a signal before that is missed.
func (f *follower) listens(store *streams.Store) {
	f.t.Helper()
	f.state()
	say(f.t, store, f.reader.Room, "does anybody hear?")
	f.has(1)
}

func TestSignalReachesTheReadersOfTheRoomOnEveryServer(t *testing.T) {
	t.Parallel()
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		one := redistest.Open(t, streams.Options{Redis: backend.Redis})
		two := redistest.Open(t, streams.Options{Redis: backend.Redis})
		here, elsewhere := follow(t, two, "lobby", streams.Newest(0)), follow(t, two, "other", streams.Newest(0))
		elsewhere.state()
		here.listens(two)
		if err := one.As(ada).Signal(context.Background(), "lobby", streams.Typing); err != nil {
			t.Fatal(err)
		}
		if signal := here.heard(streams.Typing); signal.User != ada {
			t.Errorf("heard %v", signal.User)
		}
		say(t, one, "other", "x")
		elsewhere.has(1)
		if len(elsewhere.signals) > 0 {
			t.Errorf("another room's signal: %v", elsewhere.signals)
		}
	})
}

func TestPeopleLeaveWithTheirLastServer(t *testing.T) {
	t.Parallel()
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		ctx := context.Background()
		store := redistest.Open(t, streams.Options{Redis: backend.Redis})
		f := follow(t, store, "lobby", streams.Newest(0))
		f.listens(store)
		enter := func(server string, here, gone []streams.User) {
			t.Helper()
			if _, err := store.UpdatePresence(ctx, "lobby", server, here, gone); err != nil {
				t.Fatal(err)
			}
		}
		enter("one", []streams.User{ada, bob}, nil)
		f.heard(streams.Came)
		f.heard(streams.Came)
		enter("two", []streams.User{ada}, nil)
		enter("one", nil, []streams.User{ada})
		if count, people, err := store.As(ada).Present(ctx, "lobby"); err != nil || count != 2 || len(people) != 2 {
			t.Fatalf("present: %d, %v, %v", count, people, err)
		}
		// Server one dies without a word; two beats on.
		store.Heartbeat(ctx, "one", -time.Second)
		store.Heartbeat(ctx, "two", time.Minute)
		if err := store.RemoveDeadServers(ctx); err != nil {
			t.Fatal(err)
		}
		if signal := f.heard(streams.Left); signal.User != bob {
			t.Errorf("left: %v", signal.User)
		}
		enter("two", nil, []streams.User{ada})
		f.heard(streams.Left)
		if count, _, _ := store.As(ada).Present(ctx, "lobby"); count != 0 {
			t.Errorf("%d are left in an empty room", count)
		}
	})
}

func TestACrowdIsToldItsNumberOnly(t *testing.T) {
	t.Parallel()
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		ctx := context.Background()
		store := redistest.Open(t, streams.Options{Redis: backend.Redis})
		f := follow(t, store, "lobby", streams.Newest(0))
		f.listens(store)
		var crowd []streams.User
		for i := range 250 {
			crowd = append(crowd, streams.User{ID: string(rune('a'+i/26)) + string(rune('a'+i%26)), Name: "Somebody"})
		}
		enter := func(here, gone []streams.User, owed bool) {
			t.Helper()
			if got, err := store.UpdatePresence(ctx, "lobby", "one", here, gone); err != nil || got != owed {
				t.Fatalf("a number is owed: %v, %v; not %v", got, err, owed)
			}
		}
		told := func(count int) {
			t.Helper()
			if signal := f.heard(streams.Count); signal.Count != count || len(f.signals) > 0 {
				t.Errorf("told %d, not %d, and %d more signals", signal.Count, count, len(f.signals))
			}
		}
		enter(crowd[:200], nil, false)
		told(200)
		enter(crowd[200:], nil, true)
		if err := store.SignalCount(ctx, "lobby"); err != nil { // too early: the next is told 250
			t.Fatal(err)
		}
		if backend.Client.Del(ctx, lobbyKey+":told").Val() != 1 { // It ends after CountInterval.
			t.Error("nothing says that the number was told")
		}
		if err := store.SignalCount(ctx, "lobby"); err != nil {
			t.Fatal(err)
		}
		told(250)
		count, people, err := store.As(ada).Present(ctx, "lobby")
		if err != nil || count != 250 || len(people) > streams.MaxNamed {
			t.Errorf("present: %d, %d named, %v", count, len(people), err)
		}

		// Each one who leaves what is no crowd now is told of; not so most who left before.
		enter(nil, crowd[:149], true)
		enter(nil, crowd[149:150], false)
		if signal := f.heard(streams.Left); signal.User != crowd[149] {
			t.Errorf("left: %v", signal.User)
		}
		told(100)
	})
}

func TestReadMarkerCountsWhatOthersSaidSince(t *testing.T) {
	t.Parallel()
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		ctx := context.Background()
		store := redistest.Open(t, streams.Options{Redis: backend.Redis})
		f := follow(t, store, "lobby", streams.Newest(0))
		f.listens(store)
		first := say(t, store, "lobby", "one")
		say(t, store, "quiet", "never looked at by Bob")
		if err := store.As(bob).MarkRead(ctx, "lobby", first.Cursor.ID); err != nil {
			t.Fatal(err)
		}
		if signal := f.heard(streams.Seen); signal.User.ID != bob.ID || signal.ID != first.Cursor.ID {
			t.Errorf("heard %v", signal)
		}
		say(t, store, "lobby", "two")
		last := say(t, store, "lobby", "three, @bob!")
		rooms, err := store.As(bob).Rooms(ctx, 10)
		if err != nil || len(rooms) != 2 {
			t.Fatalf("rooms %v, %v", rooms, err)
		}
		lobby := rooms[0]
		if lobby.Name != "lobby" || lobby.Unread != 2 || lobby.Mentions != 1 || lobby.Last != last.Cursor.ID || lobby.Read != first.Cursor.ID {
			t.Errorf("lobby: %+v", lobby)
		}
		if rooms[1].Unread != 0 {
			t.Errorf("a room never seen: %+v", rooms[1])
		}
		// A marker does not move back.
		store.As(bob).MarkRead(ctx, "lobby", last.Cursor.ID)
		store.As(bob).MarkRead(ctx, "lobby", first.Cursor.ID)
		if id, err := store.As(bob).ReadUpTo(ctx, "lobby"); err != nil || id != last.Cursor.ID {
			t.Errorf("read up to %v, %v", id, err)
		}
		// Nor to what is yet to be said.
		far := streams.ID{Millis: 1 << 60}
		for _, room := range []string{"lobby", "nobody-was-here"} {
			if err := store.As(bob).MarkRead(ctx, room, far); err != nil {
				t.Fatal(err)
			}
		}
		if id, _ := store.As(bob).ReadUpTo(ctx, "lobby"); id != last.Cursor.ID {
			t.Errorf("read up to %v, of what ends at %v", id, last.Cursor.ID)
		}
		if id, _ := store.As(bob).ReadUpTo(ctx, "nobody-was-here"); !id.IsZero() {
			t.Errorf("read up to %v where nothing is", id)
		}
	})
}

func TestUnreadIsExactBelowAHundredHoweverMuchElseHappened(t *testing.T) {
	t.Parallel()
	redistest.RunReal(t, func(t *testing.T, backend redistest.Backend) {
		ctx := context.Background()
		store := redistest.Open(t, streams.Options{Redis: backend.Redis})
		first := say(t, store, "lobby", "one")
		if err := store.As(bob).MarkRead(ctx, "lobby", first.Cursor.ID); err != nil {
			t.Fatal(err)
		}
		for i := range 99 {
			say(t, store, "lobby", fmt.Sprint("meanwhile ", i))
		}
		for range 600 {
			amend(t, store, streams.React, first.Cursor.ID, "👍")
		}
		unread := func() int {
			t.Helper()
			rooms, err := store.As(bob).Rooms(ctx, 10)
			if err != nil || len(rooms) != 1 {
				t.Fatalf("rooms %v, %v", rooms, err)
			}
			return rooms[0].Unread
		}
		if got := unread(); got != 99 {
			t.Errorf("%d unread, want 99", got)
		}
		for i := range 500 {
			say(t, store, "lobby", fmt.Sprint("and then ", i))
		}
		if got := unread(); got < 100 {
			t.Errorf("%d unread, want 100 or more", got)
		}
	})
}

func TestMentionIsTheWholeName(t *testing.T) {
	t.Parallel()
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		ctx := context.Background()
		store := redistest.Open(t, streams.Options{Redis: backend.Redis})
		first := say(t, store, "lobby", "first").Cursor.ID
		for i, name := range []string{"Ada", "Élan Vital"} {
			user := streams.User{ID: fmt.Sprint(i), Name: name}
			store.As(user).MarkRead(ctx, "lobby", first)
			before := 0
			for format, want := range map[string]int{
				"@%s": 1, "hi @%s!": 1, "(@%s)": 1, "@%s…": 1, "@%s👍": 1, "你好@%s，": 1, "@%sさん": 1, "@%s's": 1, "@%sx, no, @%s": 1,
				"%s": 0, "@%sm": 0, "@%s2": 0, "@%sé": 0, "me@%s.example": 0, "é@%s": 0, "7@%s": 0, "@": 0,
			} {
				say(t, store, "lobby", strings.ReplaceAll(format, "%s", name))
				rooms, err := store.As(user).Rooms(ctx, 1)
				if err != nil || rooms[0].Mentions-before != want {
					t.Errorf("%q to %s: %d mentions, %v, want %d", format, name, rooms[0].Mentions-before, err, want)
				}
				before = rooms[0].Mentions
			}
		}
	})
}

func TestTopicIsAnEntryAndTheRoomKeepsIt(t *testing.T) {
	t.Parallel()
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		ctx := context.Background()
		store := redistest.Open(t, streams.Options{Redis: backend.Redis})
		f := follow(t, store, "lobby", streams.Newest(0))
		f.state()
		for _, topic := range []string{"Tea", "", "Coffee"} {
			_, err := store.As(ada).Append(ctx, "lobby", streams.Entry{Kind: streams.Topic, Key: uuid.NewString(), User: ada, Text: topic})
			if err != nil {
				t.Fatal(err)
			}
			if got, err := store.As(ada).Topic(ctx, "lobby"); err != nil || got != topic {
				t.Errorf("topic %q, %v; want %q", got, err, topic)
			}
		}
		f.has(3)
		if f.all[2].Kind != streams.Topic || f.all[2].Text != "Coffee" {
			t.Errorf("entry %+v", f.all[2])
		}
		page, err := store.As(ada).Page(ctx, "lobby", streams.Where{Limit: 10})
		if err != nil || len(page.Entries) != 0 {
			t.Errorf("a page holds messages, not %v, %v", page.Entries, err)
		}
	})
}
