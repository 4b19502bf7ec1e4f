package streams_test

import (
	"context"
	"crypto/rand"
	"errors"
	"sync"
	"testing"
	"time"

	"burble/streams"
	"burble/streams/redistest"

	"github.com/google/uuid"
)

func TestHiddenRoomIsOnlyForMembers(t *testing.T) {
	t.Parallel()
	redistest.RunReal(t, func(t *testing.T, backend redistest.Backend) {
		store := redistest.Open(t, streams.Options{Redis: backend.Redis})
		room := privateRoom(t, store, 2)
		ctx := t.Context()
		member := asAccount(store, 1)
		message := streams.Entry{Kind: streams.Message, Key: uuid.NewString(), Text: "hello"}
		if _, err := member.Append(ctx, room, message); err != nil {
			t.Fatal(err)
		}
		never := "p" + room[2:] + "a"
		strangers := map[string]streams.Access{
			"an account": asAccount(store, 2), "an owner": store.AsRanked(account(3), streams.Owner),
			"a guest": store.As(ada), "a visitor": store.As(streams.User{}),
		}
		for who, stranger := range strangers {
			for _, name := range []string{room, never} {
				refused := map[string]error{"enter": stranger.CheckAccess(ctx, name)}
				_, refused["page"] = stranger.Page(ctx, name, streams.PageQuery{Limit: 10})
				_, refused["topic"] = stranger.Topic(ctx, name)
				_, refused["names"] = stranger.Names(ctx, name)
				_, refused["members"] = stranger.Members(ctx, name)
				_, refused["about"] = stranger.About(ctx, name)
				_, refused["changes"] = stranger.Changes(ctx, name, streams.ID{}, streams.ID{Millis: 1 << 50})
				_, refused["member"] = stranger.Member(ctx, name, account(0).ID)
				_, refused["names of members"] = stranger.MemberNames(ctx, name, nil)
				_, refused["name"] = stranger.NameIn(ctx, name, account(0).ID)
				_, refused["create a public room"] = stranger.CreatePublic(ctx, name, message.Key, "")
				_, refused["read marker"] = stranger.ReadUpTo(ctx, name)
				_, refused["file"] = stranger.File(ctx, name, streams.ID{Millis: 1}, 0)
				refused["check an upload"] = stranger.CheckUpload(ctx, name)
				refused["add a file"] = stranger.AddFile(ctx, name, streams.File{ID: rand.Text()})
				refused["present"] = stranger.Present(ctx, name).Err
				refused["signal"] = stranger.Signal(ctx, name, streams.Typing)
				refused["delete the room"] = stranger.DeleteRoom(ctx, name)
				for _, kind := range []streams.Kind{streams.Message, streams.Topic, streams.Edit, streams.MemberChanged, streams.SettingsChanged} {
					entry := streams.Entry{Kind: kind, Key: message.Key, Text: "x", Member: account(2), Role: streams.Ordinary}
					_, refused["append a "+string(kind)] = stranger.Append(ctx, name, entry)
				}
				for call, err := range refused {
					if !errors.Is(err, streams.ErrHidden) {
						t.Errorf("%s of %q by %s: got error %v, want ErrHidden", call, name, who, err)
					}
				}
			}
			rooms, err := stranger.Rooms(ctx, 100)
			if err != nil || len(rooms) != 0 {
				t.Errorf("%s: Rooms returned %v, %v, want none", who, rooms, err)
			}
		}
		rooms, err := member.Rooms(ctx, 100)
		if err != nil || len(rooms) != 1 || rooms[0].Name != room || rooms[0].Title != "Launch" {
			t.Errorf("Rooms for a member returned %v, %v, want the room", rooms, err)
		}
		if got := mustPage(t, member, room); texts(got.Entries) != "hello" {
			t.Errorf("a member's page: got %q, want \"hello\"", texts(got.Entries))
		}
	})
}

func TestDirectRoomIsTheSameForTheSamePeople(t *testing.T) {
	t.Parallel()
	store := redistest.Open(t, streams.Options{Redis: redistest.Single(t).Redis})
	secret := []byte("a secret")
	room, isNew, err := asAccount(store, 1).CreateDirect(t.Context(), secret, []streams.User{account(2)})
	if err != nil || !isNew || !streams.IsHidden(room) {
		t.Fatalf("CreateDirect returned %q, %v, %v, want a hidden room that is new", room, isNew, err)
	}
	again, isNew, err := asAccount(store, 2).CreateDirect(t.Context(), secret, []streams.User{account(1), account(2)})
	if err != nil || isNew || again != room {
		t.Errorf("CreateDirect by the other returned %q, %v, %v, want %q, false", again, isNew, err, room)
	}
	for _, others := range [][]streams.User{nil, {account(1)}, {account(2), account(3), account(4), account(5), account(6), account(7), account(8), account(9)}} {
		if _, _, err := asAccount(store, 1).CreateDirect(t.Context(), secret, others); !errors.Is(err, streams.ErrBadMembers) {
			t.Errorf("CreateDirect with %d others returned error %v, want ErrBadMembers", len(others), err)
		}
	}
	if _, err := setMember(asAccount(store, 1), room, 3, streams.Ordinary); !errors.Is(err, streams.ErrDirect) {
		t.Errorf("adding a member: got error %v, want ErrDirect", err)
	}
}

func TestDeletedRoomEndsItsReaders(t *testing.T) {
	t.Parallel()
	redistest.RunReal(t, func(t *testing.T, backend redistest.Backend) {
		store := redistest.Open(t, streams.Options{Redis: backend.Redis})
		room := privateRoom(t, store, 2)
		reader := followAs(t, asAccount(store, 1), room, streams.Newest(50))
		reader.readUntil("the first entries", func() bool { return len(reader.entries) == 3 })
		if err := asAccount(store, 0).DeleteRoom(t.Context(), room); !errors.Is(err, streams.ErrNotOwner) {
			t.Errorf("DeleteRoom by a moderator: got error %v, want ErrNotOwner", err)
		}
		if err := store.AsRanked(account(0), streams.Owner).DeleteRoom(t.Context(), room); err != nil {
			t.Fatal(err)
		}
		reader.readUntil("the end", func() bool { return reader.closed == streams.Deleted })
		if err := asAccount(store, 1).CheckAccess(t.Context(), room); !errors.Is(err, streams.ErrHidden) {
			t.Errorf("CheckAccess to a deleted room: got error %v, want ErrHidden", err)
		}
		if rooms, err := asAccount(store, 1).Rooms(t.Context(), 10); err != nil || len(rooms) != 0 {
			t.Errorf("Rooms returned %v, %v, want none", rooms, err)
		}
	})
}

// The user of each reader is removed while others write, on two servers. The reader ends exactly with the removal.
func TestRemovedReaderEndsWithItsRemoval(t *testing.T) {
	t.Parallel()
	redistest.RunReal(t, func(t *testing.T, backend redistest.Backend) {
		const readers = 20
		stores := []*streams.Store{redistest.Open(t, streams.Options{Redis: backend.Redis}), redistest.Open(t, streams.Options{Redis: backend.Redis})}
		room := privateRoom(t, stores[0], readers+1)
		ctx, stop := context.WithCancel(t.Context())
		var writing sync.WaitGroup
		defer writing.Wait()
		defer stop()
		for _, store := range stores {
			writing.Go(func() {
				for ctx.Err() == nil {
					entry := streams.Entry{Kind: streams.Message, Key: uuid.NewString(), Text: "x"}
					asAccount(store, 0).Append(ctx, room, entry)
				}
			})
		}
		followers := make([]*follower, readers)
		for i := range followers {
			from := streams.Newest(50 * (i % 3))
			if i%4 == 3 {
				from = streams.After(streams.Cursor{}) // far behind
			}
			followers[i] = followAs(t, asAccount(stores[i%2], i+1), room, from)
			followers[i].readUntil("a state", func() bool { return len(followers[i].states) > 0 })
		}
		for i, f := range followers {
			removed, err := setMember(asAccount(stores[(i+1)%2], 0), room, i+1, streams.NoRole)
			if err != nil {
				t.Fatal(err)
			}
			f.readUntil("the end", func() bool { return f.closed != "" })
			if f.closed != streams.Removed || len(f.entries) == 0 {
				t.Fatalf("reader %d: closed %q after %d entries, want removed after some entries", i, f.closed, len(f.entries))
			}
			if last := f.entries[len(f.entries)-1]; last.ID != removed.Cursor.ID {
				t.Errorf("reader %d ends with %v %q, want its removal %v", i, last.ID, last.Kind, removed.Cursor.ID)
			}
			for k := 1; k < len(f.entries); k++ {
				if f.entries[k].Number != f.entries[k-1].Number+1 {
					t.Errorf("reader %d: got entry %d after %d, want consecutive numbers", i, f.entries[k].Number, f.entries[k-1].Number)
				}
			}
			again := followAs(t, asAccount(stores[i%2], i+1), room, streams.After(f.cursor))
			again.readUntil("a refusal", func() bool { return again.closed != "" })
			if len(again.entries) > 0 || len(again.states) > 0 {
				t.Errorf("reader %d: got %d entries and states %v after its removal, want none", i, len(again.entries), again.states)
			}
		}
	})
}

// A user who is added again also reads the messages sent in the meantime.
func TestReadmittedMemberReadsMissedMessages(t *testing.T) {
	t.Parallel()
	store := redistest.Open(t, streams.Options{Redis: redistest.Single(t).Redis})
	room := privateRoom(t, store, 2)
	reader := followAs(t, asAccount(store, 1), room, streams.Newest(50))
	reader.readUntil("the first entries", func() bool { return len(reader.entries) == 3 })
	if _, err := setMember(asAccount(store, 0), room, 1, streams.NoRole); err != nil {
		t.Fatal(err)
	}
	reader.readUntil("the end", func() bool { return reader.closed == streams.Removed })
	if _, err := asAccount(store, 0).Append(t.Context(), room, streams.Entry{Kind: streams.Message, Key: uuid.NewString(), Text: "meanwhile"}); err != nil {
		t.Fatal(err)
	}
	if _, err := setMember(asAccount(store, 0), room, 1, streams.Ordinary); err != nil {
		t.Fatal(err)
	}
	again := followAs(t, asAccount(store, 1), room, streams.After(reader.cursor))
	again.readUntil("the missed messages", func() bool { return len(again.entries) == 2 })
	if again.entries[0].Text != "meanwhile" || again.closed != "" {
		t.Errorf("got %v, closed %q, want \"meanwhile\" first, and not closed", again.entries, again.closed)
	}
	fromStart := followAs(t, asAccount(store, 1), room, streams.After(streams.Cursor{}))
	fromStart.readUntil("everything", func() bool { return len(fromStart.entries) == 6 })
	if fromStart.closed != "" {
		t.Errorf("reader that passed an old removal: closed %q, want not closed", fromStart.closed)
	}
}

// A muted user must not be able to end the mute by leaving.
func TestLeavingDoesNotEndAMute(t *testing.T) {
	t.Parallel()
	store := redistest.Open(t, streams.Options{Redis: redistest.Start(t).Redis()})
	moderator, muted := asAccount(store, 0), asAccount(store, 1)
	public := "lobby"
	if _, err := moderator.CreatePublic(t.Context(), public, uuid.NewString(), ""); err != nil {
		t.Fatal(err)
	}
	for _, room := range []string{privateRoom(t, store, 3), public} {
		set := func(by streams.Access, role streams.Role, until time.Time) error {
			entry := streams.Entry{Kind: streams.MemberChanged, Key: uuid.NewString(), Member: account(1), Role: role, MutedUntil: until}
			_, err := by.Append(t.Context(), room, entry)
			return err
		}
		expect := func(what string, err, want error) {
			t.Helper()
			if !errors.Is(err, want) {
				t.Errorf("%s in %s: got error %v, want %v", what, room, err, want)
			}
		}
		post := func() error {
			_, err := muted.Append(t.Context(), room, streams.Entry{Kind: streams.Message, Key: uuid.NewString(), Text: "spam"})
			return err
		}
		expect("a moderator mutes", set(moderator, streams.Ordinary, time.Now().Add(time.Hour)), nil)
		expect("the muted user posts", post(), streams.ErrMuted)
		if room == public {
			expect("the muted user leaves", set(muted, streams.NoRole, time.Time{}), streams.ErrNotModerator)
		} else {
			expect("the muted user leaves", set(muted, streams.NoRole, time.Time{}), nil)
			expect("a member adds the muted user again", set(asAccount(store, 2), streams.Ordinary, time.Time{}), nil)
		}
		expect("the muted user posts after leaving", post(), streams.ErrMuted)
		expect("a moderator ends the mute", set(moderator, streams.Ordinary, time.Time{}), nil)
		expect("the user posts when the mute has ended", post(), nil)
	}
}

// Redis or the server may die between any two writes. Nobody may become a member of a room that they cannot find.
func TestMembersFindTheirRoomsAfterDeathAtEveryStep(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	store := redistest.Open(t, streams.Options{Redis: server.Redis()})
	ctx, client := t.Context(), server.Client()
	defer client.Close()
	room := privateRoom(t, store, 1)
	creator := asAccount(store, 0)
	steps := map[string]func() error{
		"a private room": func() error {
			_, err := creator.CreatePrivate(ctx, "Lunch", []streams.User{account(1)})
			return err
		},
		"a direct room": func() error {
			_, _, err := creator.CreateDirect(ctx, []byte("secret"), []streams.User{account(1)})
			return err
		},
		"a new member": func() error { _, err := setMember(creator, room, 1, streams.Ordinary); return err },
	}
	memberships := func() (count int) {
		for _, key := range client.Keys(ctx, "*:members").Val() {
			if client.HExists(ctx, key, account(1).ID).Val() {
				count++
			}
		}
		return count
	}
	for name, step := range steps {
		client.Do(ctx, "ACL", "SETUSER", "default", "-sadd") // so that listing the room fails, as if the server died there
		if err := step(); err == nil {
			t.Errorf("%s: got no error although the room could not be listed, want one", name)
		}
		client.Do(ctx, "ACL", "SETUSER", "default", "+sadd")
		if listed, err := asAccount(store, 1).Rooms(ctx, 100); err != nil || len(listed) != memberships() {
			t.Errorf("%s: got %d rooms and the error %v, want all %d rooms that the user is a member of", name, len(listed), err, memberships())
		}
		if err := step(); err != nil {
			t.Errorf("%s again: got error %v, want none", name, err)
		}
	}
	if _, err := setMember(asAccount(store, 2), room, 3, streams.Ordinary); !errors.Is(err, streams.ErrHidden) {
		t.Errorf("a stranger adds a member: got error %v, want ErrHidden", err)
	}
	if keys := client.Keys(ctx, "*"+account(3).ID+"*").Val(); len(keys) > 0 {
		t.Errorf("user whom a stranger failed to add: got keys %v, want none", keys)
	}
	if listed, err := asAccount(store, 1).Rooms(ctx, 100); err != nil || len(listed) != 3 || memberships() != 3 {
		t.Errorf("got %d rooms, %v, and %d memberships, want 3 of each", len(listed), err, memberships())
	}
}
