package chat

import (
	"log/slog"
	"testing"

	"burble/app/identity"
	"burble/streams"
	"burble/streams/redistest"
)

func TestAuditDoesNotNameHiddenRooms(t *testing.T) {
	t.Parallel()
	service := New(redistest.Open(t, streams.Options{Redis: redistest.Single(t).Redis}), Options{Log: slog.New(slog.DiscardHandler)})
	owner := identity.User{ID: "11111111-1111-4111-8111-111111111111", Name: "Ada", Rank: identity.Owner}
	for _, room := range []string{"lobby", "paaaaaaaaaaaaaaaaaaaa", "daaaaaaaaaaaaaaaaaaaa"} {
		if err := service.Record(owner, "", streams.Entry{Action: "delete_room", Room: room}); err != nil {
			t.Fatal(err)
		}
	}
	got, err := service.AuditLog(t.Context(), owner, streams.ID{}, 10)
	if err != nil || len(got) != 3 || got[0].Room != "" || got[1].Room != "" || got[2].Room != "lobby" {
		t.Errorf("got %+v, %v, want only the name of the public room", got, err)
	}
}
