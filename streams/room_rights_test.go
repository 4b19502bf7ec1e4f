package streams_test

import (
	"errors"
	"testing"
	"time"

	"burble/streams"
	"burble/streams/redistest"

	"github.com/google/uuid"
)

func TestRightsInRooms(t *testing.T) {
	t.Parallel()
	store := redistest.Open(t, streams.Options{Redis: redistest.Single(t).Redis})
	const creator, member, other, outsider, invited = 0, 1, 2, 8, 9
	kinds := map[string]func(target int) streams.Entry{
		"send": func(int) streams.Entry { return streams.Entry{Kind: streams.Message, Text: "hi"} },
		"title": func(int) streams.Entry {
			return streams.Entry{Kind: streams.SettingsChanged, Settings: streams.Settings{Title: "New"}}
		},
		"invite": func(n int) streams.Entry {
			return streams.Entry{Kind: streams.MemberChanged, Member: account(n), Role: streams.Ordinary}
		},
		"remove": func(n int) streams.Entry {
			return streams.Entry{Kind: streams.MemberChanged, Member: account(n), Role: streams.NoRole}
		},
		"mute": func(n int) streams.Entry {
			return streams.Entry{Kind: streams.MemberChanged, Member: account(n), Role: streams.Ordinary, MutedUntil: time.Now().Add(time.Hour)}
		},
		"promote": func(n int) streams.Entry {
			return streams.Entry{Kind: streams.MemberChanged, Member: account(n), Role: streams.RoomModerator}
		},
	}
	tests := []struct {
		kind   string
		actor  int
		rank   streams.Rank
		target int
		want   error
	}{
		{"send", member, streams.Account, 0, nil},
		{"send", outsider, streams.Owner, 0, streams.ErrHidden},
		{"title", member, streams.Account, 0, streams.ErrNotModerator},
		{"title", creator, streams.Account, 0, nil},
		{"title", member, streams.Moderator, 0, nil},
		{"title", outsider, streams.Moderator, 0, streams.ErrHidden},
		{"invite", member, streams.Account, invited, nil},
		{"invite", outsider, streams.Owner, invited, streams.ErrHidden},
		{"remove", member, streams.Account, other, streams.ErrNotModerator},
		{"remove", member, streams.Account, member, nil},
		{"remove", creator, streams.Account, other, nil},
		{"remove", creator, streams.Account, invited, streams.ErrNoMember},
		{"remove", member, streams.Moderator, creator, streams.ErrNotOwner},
		{"remove", member, streams.Owner, creator, nil},
		{"mute", member, streams.Account, other, streams.ErrNotModerator},
		{"mute", creator, streams.Account, other, nil},
		{"promote", creator, streams.Account, other, streams.ErrNotOwner},
		{"promote", member, streams.Moderator, other, streams.ErrNotOwner},
		{"promote", member, streams.Owner, other, nil},
	}
	for _, test := range tests {
		room := privateRoom(t, store, 3)
		entry := kinds[test.kind](test.target)
		entry.Key = uuid.NewString()
		_, err := store.AsRanked(account(test.actor), test.rank).Append(t.Context(), room, entry)
		if !errors.Is(err, test.want) {
			t.Errorf("account %d with rank %d: %s of account %d: got error %v, want %v", test.actor, test.rank, test.kind, test.target, err, test.want)
		}
	}
}

func TestSettingsOfARoom(t *testing.T) {
	t.Parallel()
	store := redistest.Open(t, streams.Options{Redis: redistest.Single(t).Redis})
	room := privateRoom(t, store, 3)
	moderator, member := asAccount(store, 0), asAccount(store, 1)
	send := func(by streams.Access) error {
		_, err := by.Append(t.Context(), room, streams.Entry{Kind: streams.Message, Key: uuid.NewString(), Text: "hi"})
		return err
	}
	apply := func(settings streams.Settings) {
		t.Helper()
		if _, err := moderator.Append(t.Context(), room, streams.Entry{Kind: streams.SettingsChanged, Key: uuid.NewString(), Settings: settings}); err != nil {
			t.Fatal(err)
		}
	}
	expect := func(what string, got, want error) {
		t.Helper()
		if !errors.Is(got, want) {
			t.Errorf("%s: got error %v, want %v", what, got, want)
		}
	}
	apply(streams.Settings{Locked: true})
	expect("a member posts in a locked room", send(member), streams.ErrLocked)
	expect("a moderator posts in a locked room", send(moderator), nil)
	apply(streams.Settings{Archived: true})
	expect("a moderator posts in an archived room", send(moderator), streams.ErrArchived)
	apply(streams.Settings{})
	expect("a member posts again", send(member), nil)

	mute := streams.Entry{Kind: streams.MemberChanged, Key: uuid.NewString(), Member: account(1), Role: streams.Ordinary, MutedUntil: time.Now().Add(time.Hour)}
	if _, err := moderator.Append(t.Context(), room, mute); err != nil {
		t.Fatal(err)
	}
	expect("a muted member posts", send(member), streams.ErrMuted)
	mute.Key, mute.MutedUntil = uuid.NewString(), time.Now().Add(-time.Second)
	if _, err := moderator.Append(t.Context(), room, mute); err != nil {
		t.Fatal(err)
	}
	expect("a member posts after the mute has ended", send(member), nil)

	message, err := member.Append(t.Context(), room, streams.Entry{Kind: streams.Message, Key: uuid.NewString(), Text: "spam"})
	if err != nil {
		t.Fatal(err)
	}
	nextMillisecond()
	remove := streams.Entry{Kind: streams.Delete, Key: uuid.NewString(), Of: message.Cursor.ID}
	_, err = asAccount(store, 2).Append(t.Context(), room, remove)
	expect("a member deletes another's message", err, streams.ErrNotYours)
	_, err = moderator.Append(t.Context(), room, remove)
	expect("a moderator deletes a member's message", err, nil)
}
