package streams_test

import (
	"errors"
	"testing"

	"burble/streams"
	"burble/streams/redistest"

	"github.com/google/uuid"
)

func TestAuditIsOnlyForModerators(t *testing.T) {
	t.Parallel()
	redistest.RunReal(t, func(t *testing.T, backend redistest.Backend) {
		store := redistest.Open(t, streams.Options{Redis: backend.Redis})
		ctx := t.Context()
		recorded := streams.Entry{Key: uuid.NewString(), Action: "ban", Member: bob, Reason: "spam"}
		for range 2 { // a retry stores nothing more
			if _, err := asAccount(store, 0).Record(ctx, recorded); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := asAccount(store, 0).Record(ctx, streams.Entry{Key: uuid.NewString(), Action: "invite"}); err != nil {
			t.Fatal(err)
		}
		for rank, mayRead := range map[streams.Rank]bool{
			streams.Visitor: false, streams.Guest: false, streams.Account: false, streams.Moderator: true, streams.Owner: true,
		} {
			reader := store.AsRanked(account(9), rank)
			got, err := reader.AuditLog(ctx, streams.ID{}, 10)
			if mayRead && (err != nil || len(got) != 2 || got[0].Action != "invite" || got[1].Action != "ban" || got[1].Reason != "spam" || got[1].Member != bob || got[1].User != account(0)) {
				t.Errorf("rank %d: got %+v, %v, want both entries, newest first", rank, got, err)
			}
			if mayRead {
				older, err := reader.AuditLog(ctx, got[0].ID, 10)
				if err != nil || len(older) != 1 || older[0].ID != got[1].ID {
					t.Errorf("rank %d: before the newest entry: got %+v, %v, want the second of %+v", rank, older, err, got)
				}
			}
			_, followErr := reader.Follow(streams.AuditRoom, streams.Newest(1), func(*streams.Reader) {})
			for what, err := range map[string]error{"read": err, "enter": reader.CheckAccess(ctx, streams.AuditRoom), "follow": followErr} {
				if mayRead && err != nil || !mayRead && !errors.Is(err, streams.ErrHidden) {
					t.Errorf("rank %d: %s: got error %v, want ErrHidden: %v", rank, what, err, !mayRead)
				}
			}
			for _, kind := range []streams.Kind{streams.Audit, streams.Message} {
				if _, err := reader.Append(ctx, streams.AuditRoom, streams.Entry{Kind: kind, Key: uuid.NewString()}); !errors.Is(err, streams.ErrHidden) {
					t.Errorf("rank %d: append %s: got error %v, want ErrHidden", rank, kind, err)
				}
			}
			rooms, err := reader.Rooms(ctx, 100)
			if err != nil || len(rooms) != 0 {
				t.Errorf("rank %d: got rooms %v, %v, want none", rank, rooms, err)
			}
		}
	})
}

func TestAuditIsFollowedLikeARoom(t *testing.T) {
	t.Parallel()
	server := redistest.Single(t)
	store := redistest.Open(t, streams.Options{Redis: server.Redis, Prefix: "team:"})
	reader := followAs(t, store.AsRanked(account(1), streams.Moderator), streams.AuditRoom, streams.Newest(0))
	reader.nextState()
	stored, err := asAccount(store, 0).Record(t.Context(), streams.Entry{Key: uuid.NewString(), Action: "invite"})
	if err != nil {
		t.Fatal(err)
	}
	reader.expect(1)
	if got := reader.entries[0]; got.ID != stored.Cursor.ID || got.Kind != streams.Audit || got.Action != "invite" {
		t.Errorf("got %+v, want the entry %v", got, stored.Cursor)
	}
	if n := redistest.Connect(t, server.Redis).XLen(t.Context(), "team:{0}:audit").Val(); n != 1 {
		t.Errorf("the stream {0}:audit has %d entries, want 1", n)
	}
}
