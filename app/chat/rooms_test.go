package chat

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"burble/app/identity"
	"burble/app/protocol"
	"burble/streams"
	"burble/streams/conns"
	"burble/streams/redistest"

	"github.com/alicebob/miniredis/v2"
	"github.com/google/uuid"
)

// people is a Directory of accounts, by ID.
type people map[string]identity.User

func (p people) Find(_ context.Context, ids ...string) (found []identity.User, err error) {
	for _, id := range ids {
		if user, ok := p[id]; ok {
			found = append(found, user)
		}
	}
	return found, nil
}

func (p people) List(_ context.Context, limit int) (all []identity.User, err error) {
	for _, user := range p {
		all = append(all, user)
	}
	return all[:min(limit, len(all))], nil
}

// add adds an account.
func (p people) add(name string, rank identity.Rank) identity.User {
	user := identity.User{ID: uuid.NewString(), Name: name, Rank: rank}
	p[user.ID] = user
	return user
}

// startWithPeople returns a service on the Redis whose accounts are in the directory.
func startWithPeople(t *testing.T, address *conns.Address, directory people) *Service {
	t.Helper()
	return New(redistest.Open(t, streams.Options{Redis: address}), Options{Directory: directory, Secret: []byte("a secret")})
}

func newMiniredis(t *testing.T) *conns.Address {
	t.Helper()
	return &conns.Address{Addrs: []string{miniredis.RunT(t).Addr()}}
}

func create(t *testing.T, s *Service, by identity.User, wanted protocol.NewRoom) string {
	t.Helper()
	room, _, err := s.CreateRoom(by, "192.0.2.1", wanted)
	if err != nil {
		t.Fatal(err)
	}
	return room
}

func names(members []Member) (all []string) {
	for _, member := range members {
		all = append(all, member.Name)
	}
	return all
}

func TestCreateRooms(t *testing.T) {
	t.Parallel()
	directory := people{}
	s := startWithPeople(t, newMiniredis(t), directory)
	ada, bob, guest := directory.add("Ada", identity.Account), directory.add("Bob", identity.Account), identity.User{ID: uuid.NewString(), Name: "Guest"}
	for what, test := range map[string]struct {
		by     identity.User
		wanted protocol.NewRoom
		want   error
	}{
		"a guest creates a public room":         {guest, protocol.NewRoom{Kind: "public", Room: "guests"}, nil},
		"a guest creates a private room":        {guest, protocol.NewRoom{Kind: "private", Title: "X"}, streams.ErrSignIn},
		"a guest creates a direct room":         {guest, protocol.NewRoom{Kind: "direct", Members: []string{ada.ID}}, streams.ErrSignIn},
		"a direct room with oneself":            {ada, protocol.NewRoom{Kind: "direct", Members: []string{ada.ID}}, streams.ErrBadMembers},
		"a visitor creates a public room":       {identity.User{}, protocol.NewRoom{Kind: "public", Room: "visitors"}, protocol.NameRequired()},
		"a public room with a hidden room name": {ada, protocol.NewRoom{Kind: "public", Room: "pabcdefghijklmnopqrst"}, streams.ErrHidden},
	} {
		_, _, err := s.CreateRoom(test.by, "192.0.2.1", test.wanted)
		if refused, ok := errors.AsType[*protocol.Error](err); ok && protocol.AsError(test.want).Message == refused.Message {
			continue
		}
		if !errors.Is(err, test.want) {
			t.Errorf("%s: got error %v, want %v", what, err, test.want)
		}
	}
	key := uuid.NewString()
	create(t, s, ada, protocol.NewRoom{Kind: "public", Room: "launch", Title: "Launch", Key: key})
	create(t, s, ada, protocol.NewRoom{Kind: "public", Room: "launch", Title: "Launch", Key: key}) // a retry
	if _, _, err := s.CreateRoom(bob, "192.0.2.1", protocol.NewRoom{Kind: "public", Room: "launch"}); !errors.Is(err, protocol.ErrRoomExists) {
		t.Errorf("a public room that exists: got error %v, want ErrRoomExists", err)
	}
	if members, err := s.Members(t.Context(), guest, "launch"); err != nil || len(members) != 1 || members[0].Role != streams.RoomModerator {
		t.Errorf("the members of a new public room are %v, %v, want only its creator, as a moderator", members, err)
	}
	_, _, err := s.CreateRoom(ada, "192.0.2.1", protocol.NewRoom{Kind: "private", Title: "X", Members: []string{uuid.NewString()}})
	if refused := protocol.AsError(err); refused.Code != protocol.NotFound || refused.Field != "members" {
		t.Errorf("a private room with an unknown member: got error %v, want not_found for members", err)
	}
	direct := create(t, s, ada, protocol.NewRoom{Kind: "direct", Members: []string{bob.ID}})
	again, isNew, err := s.CreateRoom(bob, "192.0.2.1", protocol.NewRoom{Kind: "direct", Members: []string{ada.ID}})
	if err != nil || again != direct || isNew {
		t.Errorf("a direct room that exists: got %q, %v, %v, want %q, false", again, isNew, err, direct)
	}
	if rooms, err := s.Rooms(t.Context(), bob, 10); err != nil || len(rooms) != 3 || rooms[0].Title != "Ada" {
		t.Errorf("Bob's rooms are %+v, %v, want one with the title Ada first", rooms, err)
	}
	if about, err := s.About(t.Context(), ada, direct); err != nil || about.Settings.Title != "Bob" {
		t.Errorf("About the direct room returned %+v, %v, want the title Bob", about, err)
	}
}

func TestChangeMembers(t *testing.T) {
	t.Parallel()
	directory := people{}
	s := startWithPeople(t, newMiniredis(t), directory)
	ada, bob, carl := directory.add("Ada", identity.Account), directory.add("Bob", identity.Account), directory.add("Carl", identity.Account)
	room := create(t, s, ada, protocol.NewRoom{Kind: "private", Title: "Launch", Members: []string{bob.ID}})
	change := func(by identity.User, member string, change protocol.MemberChange, want error) streams.Stored {
		t.Helper()
		stored, err := s.ChangeMember(by, "192.0.2.1", room, member, change)
		if !errors.Is(err, want) {
			t.Errorf("got error %v, want %v", err, want)
		}
		return stored
	}
	key := uuid.NewString()
	added := change(bob, carl.ID, protocol.MemberChange{Key: key}, nil)
	if again := change(bob, carl.ID, protocol.MemberChange{Key: key}, nil); again.Cursor.ID != added.Cursor.ID || !again.Repeated {
		t.Errorf("a retry stored %v, want %v", again, added)
	}
	change(ada, uuid.NewString(), protocol.MemberChange{}, protocol.ErrUnknownUser)
	change(ada, carl.ID, protocol.MemberChange{MutedUntil: time.Now().Add(time.Hour)}, nil)
	change(bob, carl.ID, protocol.MemberChange{}, streams.ErrNotModerator)
	removal := protocol.MemberChange{Role: streams.NoRole, Reason: "spam", Key: uuid.NewString()}
	removed := change(ada, carl.ID, removal, nil)
	if again := change(ada, carl.ID, removal, nil); again.Cursor.ID != removed.Cursor.ID {
		t.Errorf("a retry of a removal stored %v, want %v", again, removed)
	}
	change(ada, carl.ID, protocol.MemberChange{Role: streams.NoRole}, streams.ErrNoMember)
	change(carl, bob.ID, protocol.MemberChange{}, streams.ErrHidden)

	delete(directory, bob.ID) // Bob deletes his account
	members, err := s.Members(t.Context(), ada, room)
	if got := names(members); err != nil || !slices.Equal(got, []string{"Ada", "Bob"}) {
		t.Errorf("the members are %v, %v, want Ada and Bob", got, err)
	}
	change(ada, bob.ID, protocol.MemberChange{Role: streams.NoRole}, nil)
	change(ada, ada.ID, protocol.MemberChange{Role: streams.NoRole}, nil) // the last moderator leaves
}

// In a public room, a moderator may mute a guest who has written something there.
func TestGuestsCanBeMutedInPublicRooms(t *testing.T) {
	t.Parallel()
	directory := people{}
	s := startWithPeople(t, newMiniredis(t), directory)
	moderator, guest := directory.add("Mo", identity.Moderator), identity.User{ID: uuid.NewString(), Name: "Guest"}
	post := func() error {
		_, err := s.Append(guest, "192.0.2.1", "lobby", streams.Entry{Kind: streams.Message, Key: uuid.NewString(), Text: "spam"})
		return err
	}
	mute := protocol.MemberChange{MutedUntil: time.Now().Add(time.Hour)}
	if _, err := s.ChangeMember(moderator, "192.0.2.1", "lobby", guest.ID, mute); !errors.Is(err, protocol.ErrUnknownUser) {
		t.Errorf("muting a guest who is not there: got error %v, want ErrUnknownUser", err)
	}
	if err := post(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.ChangeMember(moderator, "192.0.2.1", "lobby", guest.ID, mute); err != nil {
		t.Fatal(err)
	}
	if err := post(); !errors.Is(err, streams.ErrMuted) {
		t.Errorf("a muted guest writes: got error %v, want ErrMuted", err)
	}
	if members, err := s.Members(t.Context(), moderator, "lobby"); err != nil || len(members) != 1 || members[0].Name != "Guest" {
		t.Errorf("the members are %v, %v, want the guest", members, err)
	}
}

func TestNewRoomsByRequestAreLimited(t *testing.T) {
	t.Parallel()
	directory := people{}
	s := New(redistest.Open(t, streams.Options{Redis: newMiniredis(t)}), Options{Directory: directory, RoomRate: 1})
	ada := directory.add("Ada", identity.Account)
	for _, kind := range []string{"public", "private"} {
		created := 0
		for ; created < 1000; created++ {
			_, _, err := s.CreateRoom(ada, "192.0.2."+kind, protocol.NewRoom{Kind: kind, Room: fmt.Sprint("room-", created), Title: "X"})
			if err != nil && protocol.AsError(err).Code == protocol.RateLimited {
				break
			} else if err != nil {
				t.Fatal(err)
			}
		}
		if created != roomBurst {
			t.Errorf("an address created %d %s rooms at once, want %d", created, kind, roomBurst)
		}
	}
}

// The audit log contains what moderators do, but not who was added or has left.
func TestManagementIsAudited(t *testing.T) {
	t.Parallel()
	directory := people{}
	s := startWithPeople(t, newMiniredis(t), directory)
	ada, bob, owner := directory.add("Ada", identity.Account), directory.add("Bob", identity.Account), directory.add("Olga", identity.Owner)
	create(t, s, ada, protocol.NewRoom{Kind: "public", Room: "launch"})
	yes, title, key := true, "Launch", uuid.NewString()
	member := func(by identity.User, change protocol.MemberChange) error {
		_, err := s.ChangeMember(by, "192.0.2.1", "launch", bob.ID, change)
		return err
	}
	settings := func(key string) error {
		_, err := s.ChangeSettings(ada, "192.0.2.1", "launch", protocol.SettingsChange{Title: &title, Locked: &yes, Key: key})
		return err
	}
	message, err := s.Append(bob, "192.0.2.1", "launch", streams.Entry{Kind: streams.Message, Key: uuid.NewString(), Text: "spam"})
	if err != nil {
		t.Fatal(err)
	}
	remove := func(by identity.User, of streams.ID) error {
		_, err := s.Append(by, "192.0.2.1", "launch", streams.Entry{Kind: streams.Delete, Key: uuid.NewString(), Of: of})
		return err
	}
	for i, err := range []error{
		remove(ada, message.Cursor.ID), settings(key), settings(key), // a retry
		member(ada, protocol.MemberChange{MutedUntil: time.Now().Add(time.Hour)}), member(ada, protocol.MemberChange{}),
		member(owner, protocol.MemberChange{Role: streams.RoomModerator}), member(bob, protocol.MemberChange{Role: streams.NoRole}),
		s.RemoveMessages(ada, "launch", bob.ID), s.DeleteRoom(owner, "launch"),
	} {
		if err != nil {
			t.Fatalf("action %d: %v", i, err)
		}
	}
	entries, err := s.AuditLog(t.Context(), owner, streams.ID{}, 50)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, entry := range slices.Backward(entries) {
		got = append(got, entry.Action)
	}
	if want := []string{"delete", "title", "lock", "mute", "unmute", "room_role", "erase", "delete_room"}; !slices.Equal(got, want) {
		t.Errorf("the audit log has %v, want %v", got, want)
	}
}

// A deletion frees memory, so a full Redis must not refuse it.
func TestRoomIsDeletedWhenRedisIsFull(t *testing.T) {
	t.Parallel()
	server, directory := redistest.Start(t, "--maxmemory-policy", "noeviction"), people{}
	s := startWithPeople(t, server.Redis(), directory)
	owner := directory.add("Olga", identity.Owner)
	create(t, s, owner, protocol.NewRoom{Kind: protocol.PublicRoom, Room: "launch"})
	client := server.Client()
	defer client.Close()
	if err := client.ConfigSet(t.Context(), "maxmemory", "1").Err(); err != nil {
		t.Fatal(err)
	}
	if err := s.Record(owner, "", streams.Entry{Action: protocol.ActionDeleteRoom}); !errors.Is(err, streams.ErrFull) {
		t.Fatalf("record in a full Redis: got error %v, want ErrFull", err)
	}
	if err := s.DeleteRoom(owner, "launch"); err != nil {
		t.Errorf("delete a room in a full Redis: %v", err)
	}
	if err := s.DeleteRoom(owner, "launch"); !errors.Is(err, streams.ErrNoRoom) {
		t.Errorf("delete the room again: got error %v, want ErrNoRoom", err)
	}
}

// Nobody can repeat a deletion, so it must be recorded even if no replica confirms it.
func TestUnconfirmedDeletionIsRecorded(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	redis, directory := redistest.Start(t).Redis(), people{}
	owner := directory.add("Olga", identity.Owner)
	create(t, startWithPeople(t, redis, directory), owner, protocol.NewRoom{Kind: protocol.PublicRoom, Room: "launch"})
	s := New(redistest.Open(t, streams.Options{Redis: redis, Durability: streams.Replica}), Options{Directory: directory})
	if err := s.DeleteRoom(owner, "launch"); !errors.Is(err, streams.ErrUnavailable) {
		t.Errorf("delete a room without a replica: got error %v, want ErrUnavailable", err)
	}
	entries, err := s.AuditLog(t.Context(), owner, streams.ID{}, 50)
	if err != nil || len(entries) != 1 || entries[0].Action != protocol.ActionDeleteRoom {
		t.Errorf("the audit log has %v, %v, want the deletion", entries, err)
	}
}
