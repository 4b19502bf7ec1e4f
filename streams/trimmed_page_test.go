package streams_test

import (
	"context"
	"testing"

	"burble/streams"
	"burble/streams/redistest"
)

// A page at the beginning of a room reports whether older messages were trimmed. Deleted messages and
// entries of other kinds must not affect this.
func TestPageReportsTrimmedMessages(t *testing.T) {
	t.Parallel()
	var store *streams.Store
	var backend redistest.Backend
	message := func(t *testing.T, text string) streams.ID { return post(t, store, "lobby", text).Cursor.ID }
	topic := func(t *testing.T) { amend(t, store, streams.Topic, streams.ID{}, "tea") }
	remove := func(t *testing.T, of streams.ID) { amend(t, store, streams.Delete, of, "") }
	trim := func(t *testing.T, kept int) {
		if err := backend.Client.XTrimMaxLen(context.Background(), lobbyKey, int64(kept)).Err(); err != nil {
			t.Fatal(err)
		}
	}
	cases := []struct {
		name string
		fill func(t *testing.T)
		want bool
	}{
		{"empty", func(t *testing.T) {}, false},
		{"a message", func(t *testing.T) { message(t, "one") }, false},
		{"a topic", topic, false},
		{"a topic before the first message", func(t *testing.T) { topic(t); message(t, "one") }, false},
		{"the first message deleted", func(t *testing.T) { remove(t, message(t, "one")); message(t, "two") }, false},
		{"the first message deleted later", func(t *testing.T) { topic(t); id := message(t, "one"); message(t, "two"); remove(t, id) }, false},
		{"all deleted", func(t *testing.T) { remove(t, message(t, "one")); trim(t, 0) }, false},
		{"trimmed", func(t *testing.T) { message(t, "one"); message(t, "two"); trim(t, 1) }, true},
		{"trimmed, and one deleted", func(t *testing.T) {
			id := message(t, "one")
			message(t, "two")
			message(t, "three")
			remove(t, id)
			trim(t, 2)
		}, true},
		{"all trimmed", func(t *testing.T) { message(t, "one"); trim(t, 0) }, true},
		{"a topic trimmed", func(t *testing.T) { topic(t); message(t, "one"); trim(t, 1) }, false},
		{"a topic left", func(t *testing.T) { message(t, "one"); topic(t); trim(t, 1) }, true},
	}
	redistest.Run(t, func(t *testing.T, one redistest.Backend) {
		backend = one
		for _, test := range cases {
			t.Run(test.name, func(t *testing.T) {
				store = redistest.Open(t, streams.Options{Redis: backend.Redis})
				if err := backend.Client.Del(context.Background(), lobbyKey).Err(); err != nil {
					t.Fatal(err)
				}
				test.fill(t)
				for _, query := range []streams.PageQuery{{Limit: 50}, {Before: streams.ID{Millis: 1 << 62}, Limit: 50}, {Around: streams.ID{Millis: 1}, Limit: 50}} {
					got := page(t, store, query)
					if got.Trimmed != test.want || !got.Older.IsZero() {
						t.Errorf("page %+v: got Trimmed %t and Older %v, want Trimmed %t and no Older", query, got.Trimmed, got.Older, test.want)
					}
				}
			})
		}
	})
}
