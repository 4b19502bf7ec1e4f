package streams_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"burble/streams"
	"burble/streams/redistest"

	"github.com/google/uuid"
)

// maxListTime is the maximum time that Redis may spend on a list of 100 rooms. See redisTime.
const maxListTime = 15.0

func TestRoomListAfterLongAbsenceIsFast(t *testing.T) {
	t.Parallel()
	ctx, backend := context.Background(), redistest.Single(t)
	store := redistest.Open(t, streams.Options{Redis: backend.Redis})
	long := strings.Repeat("a long story ", 300)
	for i := range 100 {
		room := fmt.Sprint("room-", i)
		first := post(t, store, room, "first").Cursor.ID
		if err := store.As(bob).MarkRead(ctx, room, first); err != nil {
			t.Fatal(err)
		}
		fillRoom(t, backend.Client, room, 249, func(i int) string {
			if i%10 == 0 {
				return "@Bob " + long
			}
			return fmt.Sprint("meanwhile ", i)
		})
		post(t, store, room, "last")
	}
	for name, user := range map[string]streams.User{"a visitor": {}, "a user who was away": bob} {
		var rooms []streams.Room
		took := redisTime(t, backend.Client, maxListTime, func() {
			var err error
			if rooms, err = store.As(user).Rooms(ctx, 100); err != nil {
				t.Fatal(err)
			}
		})
		t.Logf("%s: %.2f units", name, took)
		if len(rooms) != 100 || took > maxListTime {
			t.Errorf("%s: got %d rooms after %.2f units of time, want 100 within %v", name, len(rooms), took, maxListTime)
		}
		for _, room := range rooms {
			if want := 250; user == bob && room.Unread != want || user != bob && room.Unread != 0 {
				t.Errorf("%s: got %+v, want 250 unread for Bob and 0 for others", name, room)
				break
			}
		}
	}
}

// bobsLobby returns the lobby from Bob's list of rooms.
func bobsLobby(t testing.TB, store *streams.Store) streams.Room {
	t.Helper()
	rooms, err := store.As(bob).Rooms(context.Background(), 10)
	if err != nil || len(rooms) != 1 {
		t.Fatalf("got rooms %v, %v, want one", rooms, err)
	}
	return rooms[0]
}

func TestUnreadExcludesOwnAndDeletedMessages(t *testing.T) {
	t.Parallel()
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		store := redistest.Open(t, streams.Options{Redis: backend.Redis})
		read := post(t, store, "lobby", "first").Cursor.ID
		store.As(bob).MarkRead(context.Background(), "lobby", read)
		var ids []streams.ID
		for range 20 {
			ids = append(ids, post(t, store, "lobby", "hello, @bob").Cursor.ID)
			own := streams.Entry{Kind: streams.Message, Key: uuid.NewString(), Text: "I am @bob"}
			if _, err := store.As(bob).Append(context.Background(), "lobby", own); err != nil {
				t.Fatal(err)
			}
		}
		amend(t, store, streams.Delete, ids[3], "")
		amend(t, store, streams.Delete, read, "") // was read already, so the count stays the same
		if got := bobsLobby(t, store); got.Unread != 19 || got.Mentions != 19 {
			t.Errorf("got %d unread and %d mentions, want 19 of each", got.Unread, got.Mentions)
		}
		reactions(t, store, ids[0], 600)
		if got := bobsLobby(t, store); got.Unread < 19 || got.Unread > 40 { // an estimate, because the messages are not among the newest entries
			t.Errorf("after many reactions: got %d unread, want 19 to 40", got.Unread)
		}
	})
}

func TestMentionsFollowEditedText(t *testing.T) {
	t.Parallel()
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		store := redistest.Open(t, streams.Options{Redis: backend.Redis})
		read := post(t, store, "lobby", "@bob, read already").Cursor.ID
		store.As(bob).MarkRead(context.Background(), "lobby", read)
		edit := func(of streams.ID, texts ...string) {
			for _, text := range texts {
				amend(t, store, streams.Edit, of, text)
			}
		}
		edit(post(t, store, "lobby", "@bob, not you").Cursor.ID, "@bob and @bob", "not you")
		edit(post(t, store, "lobby", "@bob, nor you").Cursor.ID, "nor you")
		edit(post(t, store, "lobby", "one, two").Cursor.ID, "@bob, one", "@bob, one, two")
		edit(read, "@bob, still read")
		if got := bobsLobby(t, store); got.Unread != 3 || got.Mentions != 1 {
			t.Errorf("got %d unread and %d mentions, want 3 and 1", got.Unread, got.Mentions)
		}
	})
}

// Entries from the previous release have no message count, and other programs may trim the stream.
func TestUnreadWithoutNumbers(t *testing.T) {
	t.Parallel()
	runFixtures(t, streams.Options{}, func(fx *fixture) {
		store := fx.store
		store.As(bob).MarkRead(context.Background(), "lobby", fx.stored[4].Cursor.ID)
		expect := func(what string, want int) {
			fx.Helper()
			if got := bobsLobby(fx, store); got.Unread != want {
				fx.Errorf("%s: got %d unread, want %d", what, got.Unread, want)
			}
		}
		expect("all entries numbered", 5)
		fill(fx, fx.Client, 500)
		expect("many entries", 505)
		fx.do("XTRIM", lobbyKey, "MINID", fx.stored[8].Cursor.ID.String())
		expect("the entry at the marker trimmed", 502)
		removeCounts(fx, fx.Client)
		expect("an older release", 502)
		appendAsOlderRelease(fx, fx.Client, "more")
		fx.post(1)
		expect("both releases", 504)
		last := fx.stored[len(fx.stored)-1].Cursor.ID
		store.As(bob).MarkRead(context.Background(), "lobby", last)
		expect("all read", 0)
		appendAsOlderRelease(fx, fx.Client, "more")
		expect("a message of the older release", 1)
		fx.do("DEL", lobbyKey)
		fx.post(3)
		expect("another history", 3)
	})
}
