package streams_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"burble/streams"
	"burble/streams/redistest"

	"github.com/google/uuid"
)

func TestCreatePublicRoom(t *testing.T) {
	t.Parallel()
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		store := redistest.Open(t, streams.Options{Redis: backend.Redis})
		ctx, key := t.Context(), uuid.NewString()
		create := func(by streams.Access, room, key string, want bool) {
			t.Helper()
			if created, err := by.CreatePublic(ctx, room, key, "Launch"); err != nil || created != want {
				t.Errorf("CreatePublic of %s returned %v, %v, want %v", room, created, err, want)
			}
		}
		create(asAccount(store, 0), "launch", key, true)
		create(asAccount(store, 0), "launch", key, true) // a retry
		create(asAccount(store, 0), "launch", uuid.NewString(), false)
		create(asAccount(store, 1), "launch", key, false)
		create(store.As(ada), "guests", uuid.NewString(), true)

		about, err := store.As(streams.User{}).About(ctx, "launch")
		if err != nil || about.Settings.Title != "Launch" || about.Kind != "public" || about.Own.Role != streams.NoRole {
			t.Errorf("About for a visitor returned %+v, %v, want the public room \"Launch\" without a role", about, err)
		}
		for room, want := range map[string]error{"launch": nil, "guests": streams.ErrNotModerator} {
			entry := streams.Entry{Kind: streams.SettingsChanged, Key: uuid.NewString(), Settings: streams.Settings{Locked: true}}
			if _, err := asAccount(store, 0).AppendExisting(ctx, room, entry); !errors.Is(err, want) {
				t.Errorf("changing the settings of %s: got error %v, want %v", room, err, want)
			}
		}
		message := streams.Entry{Kind: streams.Message, Key: uuid.NewString(), Text: "hi"}
		if _, err := store.As(ada).Append(ctx, "guests", message); err != nil {
			t.Errorf("append to a room that was created without messages: got error %v, want none", err)
		}
		if got := mustPage(t, store.As(ada), "guests"); texts(got.Entries) != "hi" {
			t.Errorf("page: got %q, want \"hi\"", texts(got.Entries))
		}
		if _, err := asAccount(store, 0).CreatePublic(ctx, "p"+"abcdefghijklmnopqrst", uuid.NewString(), ""); !errors.Is(err, streams.ErrHidden) {
			t.Errorf("a public room with the name of a hidden one: got error %v, want ErrHidden", err)
		}
	})
}

func TestPrivateRoomIsCreatedOnceForAKey(t *testing.T) {
	t.Parallel()
	store := redistest.Open(t, streams.Options{Redis: redistest.Start(t).Redis()})
	secret, key := []byte("a secret"), uuid.NewString()
	create := func(n int, key string) string {
		t.Helper()
		room, err := asAccount(store, n).CreatePrivateOnce(t.Context(), secret, key, "Launch", []streams.User{account(5)})
		if err != nil {
			t.Fatal(err)
		}
		return room
	}
	first := create(0, key)
	if again := create(0, key); again != first {
		t.Errorf("a retry created %s, want %s", again, first)
	}
	if others := create(1, key); others == first {
		t.Error("another user with the same key: got the same room, want another")
	}
	if another := create(0, uuid.NewString()); another == first {
		t.Error("another key: got the same room, want another")
	}
	if members, err := asAccount(store, 5).Members(t.Context(), first); err != nil || len(members) != 2 {
		t.Errorf("Members returned %v, %v, want 2", members, err)
	}
}

// A change of some settings keeps the others, even if two moderators change them at the same time.
func TestOmittedSettingsAreUnchanged(t *testing.T) {
	t.Parallel()
	store := redistest.Open(t, streams.Options{Redis: redistest.Start(t).Redis()})
	room := privateRoom(t, store, 1)
	for _, entry := range []streams.Entry{
		{Settings: streams.Settings{Locked: true}, Unchanged: []string{"title", "archived"}},
		{Settings: streams.Settings{Archived: true}, Unchanged: []string{"title", "locked"}},
		{Settings: streams.Settings{Locked: false}, Unchanged: []string{"title", "archived"}},
	} {
		entry.Kind, entry.Key = streams.SettingsChanged, uuid.NewString()
		if _, err := asAccount(store, 0).AppendExisting(t.Context(), room, entry); err != nil {
			t.Fatal(err)
		}
	}
	want := streams.Settings{Title: "Launch", Archived: true}
	about, err := asAccount(store, 0).About(t.Context(), room)
	if err != nil || about.Settings != want || about.Kind != "private" || about.Own.Role != streams.RoomModerator {
		t.Errorf("About returned %+v, %v, want %+v", about, err, want)
	}
	reader := followAs(t, asAccount(store, 0), room, streams.After(streams.Cursor{}))
	reader.readUntil("all entries", func() bool { return len(reader.entries) == 5 })
	if got := reader.entries[4].Settings; got != want {
		t.Errorf("the last entry has the settings %+v, want %+v", got, want)
	}
}

func TestScanRoomsReturnsEveryRoomOfTheUser(t *testing.T) {
	t.Parallel()
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		store := redistest.Open(t, streams.Options{Redis: backend.Redis})
		var want []string
		for i := range 300 {
			want = append(want, fmt.Sprint("room-", i))
			if _, err := asAccount(store, 0).CreatePublic(t.Context(), want[i], uuid.NewString(), ""); err != nil {
				t.Fatal(err)
			}
		}
		want = append(want, privateRoom(t, store, 2))
		if _, err := asAccount(store, 7).CreatePrivate(t.Context(), "Others", nil); err != nil {
			t.Fatal(err)
		}
		var got []string
		for cursor, more := "", true; more; more = cursor != "" {
			rooms, next, err := asAccount(store, 1).ScanRooms(t.Context(), cursor)
			if err != nil {
				t.Fatal(err)
			}
			got, cursor = append(got, rooms...), next
		}
		slices.Sort(got)
		slices.Sort(want)
		if got = slices.Compact(got); !slices.Equal(got, want) {
			t.Errorf("ScanRooms returned %d rooms, want %d", len(got), len(want))
		}
	})
}

func TestNamesOfUsersInARoom(t *testing.T) {
	t.Parallel()
	store := redistest.Open(t, streams.Options{Redis: redistest.Start(t).Redis()})
	room := privateRoom(t, store, 2)
	members, err := asAccount(store, 0).Members(t.Context(), room)
	if err != nil {
		t.Fatal(err)
	}
	names, err := asAccount(store, 0).MemberNames(t.Context(), room, members)
	if err != nil || names[account(1).ID] != account(1).Name {
		t.Errorf("MemberNames returned %v, %v, want %q among them", names, err, account(1).Name)
	}
	if member, err := asAccount(store, 0).Member(t.Context(), room, account(1).ID); err != nil || member.Role != streams.Ordinary {
		t.Errorf("Member returned %+v, %v, want role %q", member, err, streams.Ordinary)
	}
	if member, err := asAccount(store, 0).Member(t.Context(), room, account(2).ID); err != nil || member.Role != streams.NoRole {
		t.Errorf("Member for a stranger returned %+v, %v, want role %q", member, err, streams.NoRole)
	}
	if _, err := store.As(bob).Append(t.Context(), "lobby", streams.Entry{Kind: streams.Message, Key: uuid.NewString(), Text: "hi"}); err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]string{bob.ID: bob.Name, ada.ID: ""} {
		if name, err := store.As(streams.User{}).NameIn(t.Context(), "lobby", id); err != nil || name != want {
			t.Errorf("NameIn returned %q, %v, want %q", name, err, want)
		}
	}
}
