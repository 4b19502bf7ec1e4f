package streams_test

import (
	"context"
	"fmt"
	"testing"

	"burble/streams"
	"burble/streams/redistest"
)

// A user's list must keep the rooms that the user has visited, even after a flood of new rooms.
func TestReadRoomsAreListedFirst(t *testing.T) {
	t.Parallel()
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		ctx := context.Background()
		store := redistest.Open(t, streams.Options{Redis: backend.Redis})
		for _, room := range []string{"kitchen", "garden"} {
			nextMillisecond()
			last := post(t, store, room, "hello").Cursor.ID
			if err := store.As(bob).MarkRead(ctx, room, last); err != nil {
				t.Fatal(err)
			}
		}
		for i := range 100 {
			post(t, store, fmt.Sprint("spam-", i), "buy")
		}
		names := func(user streams.User, limit int) (all []string) {
			rooms, err := store.As(user).Rooms(ctx, limit)
			if err != nil {
				t.Fatal(err)
			}
			for _, room := range rooms {
				all = append(all, room.Name)
			}
			return all
		}
		if got := names(bob, 50); len(got) != 50 || got[0] != "garden" || got[1] != "kitchen" {
			t.Errorf("Bob's rooms: got %d that begin with %q, want 50 that begin with garden and kitchen", len(got), got[:min(3, len(got))])
		}
		nextMillisecond()
		post(t, store, "kitchen", "hello again")
		if got := names(bob, 2); len(got) != 2 || got[0] != "kitchen" || got[1] != "garden" {
			t.Errorf("Bob's first two rooms: got %q, want kitchen and garden", got)
		}
		if got := names(streams.User{}, 1); len(got) != 1 || got[0] != "kitchen" {
			t.Errorf("a visitor's first room: got %q, want kitchen", got)
		}
	})
}

func TestReadMarkersAreLimited(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		ctx := context.Background()
		store := redistest.Open(t, streams.Options{Redis: backend.Redis})
		var last streams.ID
		for i := range 501 {
			room := fmt.Sprint("room-", i)
			last = post(t, store, room, "hello").Cursor.ID
			if err := store.As(bob).MarkRead(ctx, room, last); err != nil {
				t.Fatal(err)
			}
		}
		if read, err := store.As(bob).ReadUpTo(ctx, "room-500"); err != nil || read != last {
			t.Errorf("newest marker: got %v, %v, want %v", read, err, last)
		}
		if read, err := store.As(bob).ReadUpTo(ctx, "room-0"); err != nil || !read.IsZero() {
			t.Errorf("oldest marker: got %v, %v, want none", read, err)
		}
	})
}
