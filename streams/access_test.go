package streams_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
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
		if entries := page(t, store, streams.PageQuery{Limit: 1}).Entries; entries[0].User != bob {
			t.Errorf("got author %v, want %v", entries[0].User, bob)
		}
	})
}

// Every method of Access that takes a room must call admit, which refuses invalid names.
func TestEveryMethodOfAccessChecksTheRoom(t *testing.T) {
	t.Parallel()
	store := redistest.Open(t, streams.Options{Redis: redistest.Start(t).Redis()})
	for method, err := range callEveryMethod(t, store.As(ada), "No") {
		if !errors.Is(err, streams.ErrBadRoom) {
			t.Errorf("%s: got error %v, want ErrBadRoom", method, err)
		}
	}
}

// If the room is hidden, every method of Access that takes a room must check that the user is a member of it.
func TestEveryMethodOfAccessChecksMembership(t *testing.T) {
	t.Parallel()
	store := redistest.Open(t, streams.Options{Redis: redistest.Start(t).Redis()})
	room := privateRoom(t, store, 3)
	if _, err := setMember(asAccount(store, 0), room, 2, streams.NoRole); err != nil {
		t.Fatal(err)
	}
	for method, err := range callEveryMethod(t, asAccount(store, 1), room) {
		// The check below proves nothing if members get ErrHidden too. CreatePublic returns it to everyone,
		// because a public room cannot have such a name.
		if errors.Is(err, streams.ErrHidden) && method != "CreatePublic" {
			t.Errorf("%s by a member: got error %v, want any result but ErrHidden", method, err)
		}
	}
	others := map[string]streams.Access{
		"an account": asAccount(store, 4), "an owner": store.AsRanked(account(5), streams.Owner), "a former member": asAccount(store, 2),
	}
	for who, access := range others {
		for method, err := range callEveryMethod(t, access, room) {
			if !errors.Is(err, streams.ErrHidden) {
				t.Errorf("%s by %s: got error %v, want ErrHidden", method, who, err)
			}
		}
	}
}

// callEveryMethod calls every method of Access that has a room as its parameter. It returns the errors by method.
func callEveryMethod(t *testing.T, access streams.Access, room string) map[string]error {
	t.Helper()
	ctx, message := t.Context(), streams.Entry{Kind: streams.Message, Key: uuid.NewString(), Text: "hi"}
	calls := map[string]func() error{
		"About":          func() error { return onlyError(access.About(ctx, room)) },
		"AddFile":        func() error { return access.AddFile(ctx, room, streams.File{ID: rand.Text()}) },
		"Append":         func() error { return onlyError(access.Append(ctx, room, message)) },
		"AppendExisting": func() error { return onlyError(access.AppendExisting(ctx, room, message)) },
		"Changes":        func() error { return onlyError(access.Changes(ctx, room, streams.ID{}, streams.ID{})) },
		"CheckUpload":    func() error { return access.CheckUpload(ctx, room) },
		"CreatePublic":   func() error { return onlyError(access.CreatePublic(ctx, room, uuid.NewString(), "")) },
		"DeleteRoom":     func() error { return access.DeleteRoom(ctx, room) },
		"CheckAccess":    func() error { return access.CheckAccess(ctx, room) },
		"File":           func() error { return onlyError(access.File(ctx, room, streams.ID{}, 0)) },
		"Follow":         func() error { return readNewest(ctx, access, room) },
		"MarkRead": func() error {
			_ = access.MarkRead(ctx, room, streams.ID{}) // also sends a signal, which has a check of its own; the next call sends none
			return access.MarkRead(ctx, room, streams.ID{})
		},
		"Member":      func() error { return onlyError(access.Member(ctx, room, account(0).ID)) },
		"MemberNames": func() error { return onlyError(access.MemberNames(ctx, room, nil)) },
		"Members":     func() error { return onlyError(access.Members(ctx, room)) },
		"NameIn":      func() error { return onlyError(access.NameIn(ctx, room, account(0).ID)) },
		"Names":       func() error { return onlyError(access.Names(ctx, room)) },
		"Page":        func() error { return onlyError(access.Page(ctx, room, streams.PageQuery{Limit: 1})) },
		"Present":     func() error { return access.Present(ctx, room).Err },
		"RemovalID":   func() error { return onlyError(access.RemovalID(ctx, room, account(2).ID)) },
		"ReadUpTo":    func() error { return onlyError(access.ReadUpTo(ctx, room)) },
		"Signal":      func() error { return access.Signal(ctx, room, streams.Typing) },
		"Topic":       func() error { return onlyError(access.Topic(ctx, room)) },
	}
	errs := make(map[string]error)
	for method := range reflect.TypeFor[streams.Access]().Methods() {
		call := calls[method.Name]
		switch method.Name {
		case "Rooms", "CreatePrivate", "CreatePrivateOnce", "CreateDirect", "ScanRooms", "PrivateRooms", "Record", "AuditLog": // these have no room as a parameter
			continue
		}
		if call == nil {
			t.Errorf("%s is missing from this test", method.Name)
			continue
		}
		errs[method.Name] = call()
	}
	return errs
}

// readNewest reads the newest entry of a room. It returns ErrHidden if the user may not read it.
func readNewest(ctx context.Context, access streams.Access, room string) error {
	reader, err := access.Follow(room, streams.Newest(1), func(*streams.Reader) {})
	if err != nil {
		return err
	}
	defer reader.Close()
	read, err := reader.Next(ctx)
	if read.Closed == streams.Removed && read.Batch == nil && read.Followed == nil {
		return streams.ErrHidden
	}
	return err
}

// onlyError returns err, or another error if a method returned a result together with err.
func onlyError[T any](result T, err error) error {
	if err != nil && !reflect.ValueOf(&result).Elem().IsZero() {
		return fmt.Errorf("returned %v together with the error: %v", result, err)
	}
	return err
}
