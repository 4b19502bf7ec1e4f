package streams_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"burble/streams"
	"burble/streams/redistest"

	"github.com/google/uuid"
)

func TestSignalReachesReadersOnEveryServer(t *testing.T) {
	t.Parallel()
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		one := redistest.Open(t, streams.Options{Redis: backend.Redis})
		two := redistest.Open(t, streams.Options{Redis: backend.Redis})
		here, elsewhere := follow(t, two, "lobby", streams.Newest(0)), follow(t, two, "other", streams.Newest(0))
		elsewhere.nextState()
		here.awaitTail(two)
		if err := one.As(ada).Signal(context.Background(), "lobby", streams.Typing); err != nil {
			t.Fatal(err)
		}
		if signal := here.nextSignal(streams.Typing); signal.User != ada {
			t.Errorf("got signal of %v, want %v", signal.User, ada)
		}
		post(t, one, "other", "x")
		elsewhere.expect(1)
		if len(elsewhere.signals) > 0 {
			t.Errorf("reader of another room: got signals %v, want none", elsewhere.signals)
		}
	})
}

// arrivals returns arrivals of the users, all with the same NamedAt.
func arrivals(users ...streams.User) (arrived []streams.Arrival) {
	for _, user := range users {
		arrived = append(arrived, streams.Arrival{User: user})
	}
	return arrived
}

// A user is shown with their latest name, regardless of the order in which servers report the names. This
// also holds if an older release stored a name without the time at which the user chose it.
func TestPresentReturnsLatestName(t *testing.T) {
	t.Parallel()
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		ctx := context.Background()
		store := redistest.Open(t, streams.Options{Redis: backend.Redis})
		f := follow(t, store, "lobby", streams.Newest(0))
		f.awaitTail(store)
		now := time.Now()
		backend.Client.HSet(ctx, lobbyKey+":present", ada.ID, `{"name":"Ada","by":{"older release":true}}`)
		for _, arrival := range []struct {
			server, name string
			namedAt      time.Time
			want         string
			isSignaled   bool
		}{
			{"one", "Ada", now, "Ada", false},
			{"two", "Countess", now.Add(time.Second), "Countess", true},
			{"one", "Ada", now, "Countess", false},
			{"three", "Lovelace", now.Add(2 * time.Second), "Lovelace", true},
			{"two", "Countess", now.Add(time.Second), "Lovelace", false},
			{"one", "", time.Time{}, "Lovelace", false},
			{"two", "Augusta", now.Add(2 * time.Second), "Augusta", true}, // after a tie, the last write wins
		} {
			here := streams.Arrival{User: streams.User{ID: ada.ID, Name: arrival.name}, NamedAt: arrival.namedAt}
			change := streams.PresenceChange{Room: "lobby", Here: []streams.Arrival{here}}
			if got := store.UpdatePresence(ctx, arrival.server, change)[0]; got.Err != nil {
				t.Fatal(got.Err)
			}
			if got := store.As(bob).Present(ctx, "lobby"); got.Count != 1 || got.People[0].Name != arrival.want {
				t.Errorf("after %+v: got people %+v, %v, want only %q", arrival, got.People, got.Err, arrival.want)
			}
			if arrival.isSignaled {
				if signal := f.nextSignal(streams.Came); signal.User.Name != arrival.name {
					t.Errorf("after %+v: got signal of %v, want %q", arrival, signal.User, arrival.name)
				}
			}
		}
		if len(f.signals) > 0 {
			t.Errorf("got more signals: %v, want none", f.signals)
		}
	})
}

func TestPresenceEndsWithLastServer(t *testing.T) {
	t.Parallel()
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		ctx := context.Background()
		store := redistest.Open(t, streams.Options{Redis: backend.Redis})
		f := follow(t, store, "lobby", streams.Newest(0))
		f.awaitTail(store)
		update := func(server string, here, gone []streams.User) {
			t.Helper()
			change := streams.PresenceChange{Room: "lobby", Here: arrivals(here...), Gone: gone}
			if got := store.UpdatePresence(ctx, server, change)[0]; got.Err != nil {
				t.Fatal(got.Err)
			}
		}
		update("one", []streams.User{ada, bob}, nil)
		f.nextSignal(streams.Came)
		f.nextSignal(streams.Came)
		update("two", []streams.User{ada}, nil)
		update("one", nil, []streams.User{ada})
		if got := store.As(ada).Present(ctx, "lobby"); got.Err != nil || got.Count != 2 || len(got.People) != 2 {
			t.Fatalf("Present: got %+v, want Ada and Bob", got)
		}
		// Server one stops sending heartbeats. Server two continues.
		store.Heartbeat(ctx, "one", -time.Second)
		store.Heartbeat(ctx, "two", time.Minute)
		if err := store.RemoveDeadServers(ctx); err != nil {
			t.Fatal(err)
		}
		if signal := f.nextSignal(streams.Left); signal.User != bob {
			t.Errorf("got left signal of %v, want %v", signal.User, bob)
		}
		update("two", nil, []streams.User{ada})
		f.nextSignal(streams.Left)
		if got := store.As(ada).Present(ctx, "lobby"); got.Count != 0 {
			t.Errorf("after the last user left: got %d people, want 0", got.Count)
		}
	})
}

func TestCrowdSignalsOnlyCount(t *testing.T) {
	t.Parallel()
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		ctx := context.Background()
		store := redistest.Open(t, streams.Options{Redis: backend.Redis})
		f := follow(t, store, "lobby", streams.Newest(0))
		f.awaitTail(store)
		var crowd []streams.User
		for i := range 250 {
			crowd = append(crowd, streams.User{ID: string(rune('a'+i/26)) + string(rune('a'+i%26)), Name: "Someone"})
		}
		update := func(here, gone []streams.User, due bool) {
			t.Helper()
			change := streams.PresenceChange{Room: "lobby", Here: arrivals(here...), Gone: gone}
			if got := store.UpdatePresence(ctx, "one", change)[0]; got.Err != nil || got.CountDue != due {
				t.Fatalf("UpdatePresence: got %+v, want CountDue %v", got, due)
			}
		}
		signalCount := func() {
			t.Helper()
			if got := store.UpdatePresence(ctx, "one", streams.PresenceChange{Room: "lobby", SignalCount: true})[0]; got.Err != nil {
				t.Fatal(got.Err)
			}
		}
		expectCount := func(count int) {
			t.Helper()
			if signal := f.nextSignal(streams.Count); signal.Count != count || len(f.signals) > 0 {
				t.Errorf("got count %d and %d other signals, want only count %d", signal.Count, len(f.signals), count)
			}
		}
		update(crowd[:200], nil, false)
		expectCount(200)
		update(crowd[200:], nil, true)
		signalCount()                                             // does nothing, because CountInterval has not passed
		if backend.Client.Del(ctx, lobbyKey+":told").Val() != 1 { // it expires after CountInterval
			t.Error("the key that limits count signals is missing")
		}
		signalCount()
		expectCount(250)
		got := store.As(ada).Present(ctx, "lobby")
		if got.Err != nil || got.Count != 250 || len(got.People) > streams.MaxNamed {
			t.Errorf("Present: got %d people, %d named, %v, want 250 and at most %d named", got.Count, len(got.People), got.Err, streams.MaxNamed)
		}

		// A signal names a person who leaves only if at most MaxNamed people are present.
		update(nil, crowd[:149], true)
		update(nil, crowd[149:150], false)
		if signal := f.nextSignal(streams.Left); signal.User != crowd[149] {
			t.Errorf("got left signal of %v, want %v", signal.User, crowd[149])
		}
		expectCount(100)
	})
}

func TestUnreadAfterReadMarker(t *testing.T) {
	t.Parallel()
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		ctx := context.Background()
		store := redistest.Open(t, streams.Options{Redis: backend.Redis})
		f := follow(t, store, "lobby", streams.Newest(0))
		f.awaitTail(store)
		first := post(t, store, "lobby", "one")
		post(t, store, "quiet", "Bob was never here")
		if err := store.As(bob).MarkRead(ctx, "lobby", first.Cursor.ID); err != nil {
			t.Fatal(err)
		}
		if signal := f.nextSignal(streams.MarkedRead); signal.User.ID != bob.ID || signal.ID != first.Cursor.ID {
			t.Errorf("got signal %v, want Bob's marker at %v", signal, first.Cursor.ID)
		}
		post(t, store, "lobby", "two")
		last := post(t, store, "lobby", "three, @bob!")
		rooms, err := store.As(bob).Rooms(ctx, 10)
		if err != nil || len(rooms) != 2 {
			t.Fatalf("got rooms %v, %v, want 2", rooms, err)
		}
		lobby := rooms[0]
		if lobby.Name != "lobby" || lobby.Unread != 2 || lobby.Mentions != 1 || lobby.Last != last.Cursor.ID || lobby.Read != first.Cursor.ID {
			t.Errorf("got %+v, want lobby with 2 unread, 1 mention, last entry %v, read up to %v", lobby, last.Cursor.ID, first.Cursor.ID)
		}
		if rooms[1].Unread != 0 {
			t.Errorf("room without a marker: got %d unread, want 0", rooms[1].Unread)
		}
		// A marker does not move back.
		store.As(bob).MarkRead(ctx, "lobby", last.Cursor.ID)
		store.As(bob).MarkRead(ctx, "lobby", first.Cursor.ID)
		if id, err := store.As(bob).ReadUpTo(ctx, "lobby"); err != nil || id != last.Cursor.ID {
			t.Errorf("ReadUpTo after an older marker: got %v, %v, want %v", id, err, last.Cursor.ID)
		}
		// Nor does it move past the last entry.
		far := streams.ID{Millis: 1 << 60}
		for _, room := range []string{"lobby", "empty"} {
			if err := store.As(bob).MarkRead(ctx, room, far); err != nil {
				t.Fatal(err)
			}
		}
		if id, _ := store.As(bob).ReadUpTo(ctx, "lobby"); id != last.Cursor.ID {
			t.Errorf("ReadUpTo after a marker past the end: got %v, want %v", id, last.Cursor.ID)
		}
		if id, _ := store.As(bob).ReadUpTo(ctx, "empty"); !id.IsZero() {
			t.Errorf("ReadUpTo in an empty room: got %v, want none", id)
		}
	})
}

func TestUnreadIsExactBelow100(t *testing.T) {
	t.Parallel()
	redistest.RunReal(t, func(t *testing.T, backend redistest.Backend) {
		ctx := context.Background()
		store := redistest.Open(t, streams.Options{Redis: backend.Redis})
		first := post(t, store, "lobby", "one")
		if err := store.As(bob).MarkRead(ctx, "lobby", first.Cursor.ID); err != nil {
			t.Fatal(err)
		}
		for i := range 99 {
			post(t, store, "lobby", fmt.Sprint("meanwhile ", i))
		}
		for range 600 {
			amend(t, store, streams.React, first.Cursor.ID, "👍")
		}
		unread := func() int {
			t.Helper()
			rooms, err := store.As(bob).Rooms(ctx, 10)
			if err != nil || len(rooms) != 1 {
				t.Fatalf("got rooms %v, %v, want 1", rooms, err)
			}
			return rooms[0].Unread
		}
		if got := unread(); got != 99 {
			t.Errorf("got %d unread, want 99", got)
		}
		for i := range 500 {
			post(t, store, "lobby", fmt.Sprint("and then ", i))
		}
		if got := unread(); got < 100 {
			t.Errorf("got %d unread, want 100 or more", got)
		}
	})
}

func TestMentions(t *testing.T) {
	t.Parallel()
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		ctx := context.Background()
		store := redistest.Open(t, streams.Options{Redis: backend.Redis})
		first := post(t, store, "lobby", "first").Cursor.ID
		for i, name := range []string{"Ada", "Élan Vital"} {
			user := streams.User{ID: fmt.Sprint(i), Name: name}
			store.As(user).MarkRead(ctx, "lobby", first)
			before := 0
			for format, want := range map[string]int{
				"@%s": 1, "hi @%s!": 1, "(@%s)": 1, "@%s…": 1, "@%s👍": 1, "你好@%s，": 1, "@%sさん": 1, "@%s's": 1, "@%sx, no, @%s": 1,
				"%s": 0, "@%sm": 0, "@%s2": 0, "@%sé": 0, "me@%s.example": 0, "é@%s": 0, "7@%s": 0, "@": 0,
			} {
				post(t, store, "lobby", strings.ReplaceAll(format, "%s", name))
				rooms, err := store.As(user).Rooms(ctx, 1)
				if err != nil || rooms[0].Mentions-before != want {
					t.Errorf("%q for %s: got %d mentions, %v, want %d", format, name, rooms[0].Mentions-before, err, want)
				}
				before = rooms[0].Mentions
			}
		}
	})
}

func TestTopic(t *testing.T) {
	t.Parallel()
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		ctx := context.Background()
		store := redistest.Open(t, streams.Options{Redis: backend.Redis})
		f := follow(t, store, "lobby", streams.Newest(0))
		f.nextState()
		for _, topic := range []string{"Tea", "", "Coffee"} {
			_, err := store.As(ada).Append(ctx, "lobby", streams.Entry{Kind: streams.Topic, Key: uuid.NewString(), User: ada, Text: topic})
			if err != nil {
				t.Fatal(err)
			}
			if got, err := store.As(ada).Topic(ctx, "lobby"); err != nil || got != topic {
				t.Errorf("Topic: got %q, %v, want %q", got, err, topic)
			}
		}
		f.expect(3)
		if f.entries[2].Kind != streams.Topic || f.entries[2].Text != "Coffee" {
			t.Errorf("got entry %+v, want topic Coffee", f.entries[2])
		}
		page, err := store.As(ada).Page(ctx, "lobby", streams.PageQuery{Limit: 10})
		if err != nil || len(page.Entries) != 0 {
			t.Errorf("page of a room of topics: got %v, %v, want no messages", page.Entries, err)
		}
	})
}
