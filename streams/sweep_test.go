package streams_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"burble/streams"
	"burble/streams/redistest"
)

// The retention limits must also apply to rooms that nobody opens. Two Stores share the work.
func TestSweepTrimsIdleRooms(t *testing.T) {
	redistest.SkipUnlessLong(t)
	restore := streams.SetSweepInterval(100 * time.Millisecond)
	t.Cleanup(restore)
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		ctx := context.Background()
		writer := redistest.Open(t, streams.Options{Redis: backend.Redis})
		const rooms = 120
		for i := range rooms {
			post(t, writer, fmt.Sprint("room-", i), "old")
		}
		for range 600 { // more than one call of the script trims
			post(t, writer, "room-7", "old")
		}
		t.Run("sweep", func(t *testing.T) { // the Stores stop sweeping when this subtest ends
			redistest.Open(t, streams.Options{Redis: backend.Redis, MaxAge: time.Millisecond})
			redistest.Open(t, streams.Options{Redis: backend.Redis, MaxAge: time.Millisecond})
			left := func() (entries, listed int64) {
				for i := range rooms {
					room := fmt.Sprint("room-", i)
					entries += backend.Client.XLen(ctx, streams.RoomKey(room)).Val()
				}
				for bucket := range 16 {
					listed += backend.Client.ZCard(ctx, fmt.Sprintf("{%d}:rooms", bucket)).Val()
				}
				return entries, listed
			}
			eventually(t, "old entries to be trimmed from all rooms", func() bool {
				entries, listed := left()
				return entries == 0 && listed == 0
			})
		})
		post(t, writer, "room-7", "new")
		if rooms, err := writer.As(ada).Rooms(ctx, 10); err != nil || len(rooms) != 1 || rooms[0].Name != "room-7" {
			t.Errorf("rooms after a new message: got %v, %v, want room-7", rooms, err)
		}
	})
}

func TestOneServerSweepsAtATime(t *testing.T) {
	t.Parallel()
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		owners := 0
		for range 3 {
			store := redistest.Open(t, streams.Options{Redis: backend.Redis})
			isOwner, err := streams.ClaimSweep(store)
			if err != nil {
				t.Fatal(err)
			}
			if isOwner {
				owners++
			}
		}
		if owners != 1 {
			t.Errorf("%d of 3 servers claimed the sweep, want 1", owners)
		}
	})
}
