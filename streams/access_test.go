package streams_test

import (
	"context"
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
