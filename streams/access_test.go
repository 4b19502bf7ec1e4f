package streams_test

import (
	"context"
	"crypto/rand"
	"errors"
	"reflect"
	"testing"

	"burble/streams"
	"burble/streams/redistest"

	"github.com/google/uuid"
)

func TestAppendIgnoresEntryUser(t *testing.T) {
	t.Parallel()
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		store := redistest.Open(t, streams.Options{Redis: backend.Redis})
		forged := streams.Entry{Kind: streams.Message, Key: uuid.NewString(), User: ada, Text: "hi"}
		if _, err := store.As(bob).Append(context.Background(), "lobby", forged); err != nil {
			t.Fatal(err)
		}
		if entries := page(t, store, streams.Where{Limit: 1}).Entries; entries[0].User != bob {
			t.Errorf("got author %v, want %v", entries[0].User, bob)
		}
	})
}

// Every method of Access with a room must call admit, which refuses invalid names.
func TestEveryMethodOfAccessChecksTheRoom(t *testing.T) {
	t.Parallel()
	store := redistest.Open(t, streams.Options{Redis: redistest.Start(t).Redis()})
	access, ctx := store.As(ada), context.Background()
	const room = "No"
	calls := map[string]func() error{
		"About":          func() error { _, err := access.About(ctx, room); return err },
		"AddFile":        func() error { return access.AddFile(ctx, room, streams.File{ID: rand.Text()}) },
		"Append":         func() error { _, err := access.Append(ctx, room, streams.Entry{}); return err },
		"AppendExisting": func() error { _, err := access.AppendExisting(ctx, room, streams.Entry{}); return err },
		"Changes":        func() error { _, err := access.Changes(ctx, room, streams.ID{}, streams.ID{}); return err },
		"CheckUpload":    func() error { return access.CheckUpload(ctx, room) },
		"CreatePublic":   func() error { _, err := access.CreatePublic(ctx, room, uuid.NewString(), ""); return err },
		"DeleteRoom":     func() error { return access.DeleteRoom(ctx, room) },
		"Enter":          func() error { return access.Enter(ctx, room) },
		"File":           func() error { _, err := access.File(ctx, room, streams.ID{}, 0); return err },
		"Follow":         func() error { _, err := access.Follow(room, streams.Newest(1), nil); return err },
		"MarkRead":       func() error { return access.MarkRead(ctx, room, streams.ID{}) },
		"Member":         func() error { _, err := access.Member(ctx, room, ada.ID); return err },
		"MemberNames":    func() error { _, err := access.MemberNames(ctx, room, nil); return err },
		"Members":        func() error { _, err := access.Members(ctx, room); return err },
		"NameIn":         func() error { _, err := access.NameIn(ctx, room, ada.ID); return err },
		"Names":          func() error { _, err := access.Names(ctx, room); return err },
		"Page":           func() error { _, err := access.Page(ctx, room, streams.Where{Limit: 1}); return err },
		"Present":        func() error { return access.Present(ctx, room).Err },
		"Removed":        func() error { _, err := access.Removed(ctx, room, ada.ID); return err },
		"ReadUpTo":       func() error { _, err := access.ReadUpTo(ctx, room); return err },
		"Signal":         func() error { return access.Signal(ctx, room, streams.Typing) },
		"Topic":          func() error { _, err := access.Topic(ctx, room); return err },
	}
	for method := range reflect.TypeFor[streams.Access]().Methods() {
		call := calls[method.Name]
		switch method.Name {
		case "Rooms", "CreatePrivate", "CreatePrivateOnce", "CreateDirect", "ScanRooms", "PrivateRooms", "Record", "Audited": // have no room as their parameter
			continue
		}
		if call == nil {
			t.Errorf("%s is missing from this test", method.Name)
			continue
		}
		if err := call(); !errors.Is(err, streams.ErrBadRoom) {
			t.Errorf("%s: got error %v, want ErrBadRoom", method.Name, err)
		}
	}
}
