//go:build unix

package apptest

import (
	"context"
	"testing"
	"time"

	"burble/streams/redistest"

	"github.com/redis/go-redis/v9"
)

// Eventually waits until ok returns true. It fails the test if that takes longer than within.
func Eventually(t testing.TB, within time.Duration, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(within); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited %v for %s", within, what)
		}
	}
}

// RoomKey returns the Redis key of a room's stream. The room must have one.
func RoomKey(t testing.TB, client redistest.Client, room string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	keys, err := client.Keys(ctx, "*:room:"+room).Result()
	if err != nil || len(keys) != 1 {
		t.Fatalf("room %q: want one stream, got keys %q: %v", room, keys, err)
	}
	return keys[0]
}

// Entries returns the entries of a room's stream, read directly from Redis.
func Entries(t testing.TB, server *redistest.Server, room string) []redis.XMessage {
	t.Helper()
	client := server.Client()
	defer client.Close()
	key := RoomKey(t, client, room)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	entries, err := client.XRange(ctx, key, "-", "+").Result()
	if err != nil {
		t.Fatal(err)
	}
	return entries
}

// ExpectStoredOnce checks that a room has exactly count entries, all with different
// idempotency keys.
func ExpectStoredOnce(t testing.TB, server *redistest.Server, room string, count int) {
	t.Helper()
	keys := make(map[any]bool)
	entries := Entries(t, server, room)
	for _, entry := range entries {
		keys[entry.Values["key"]] = true
	}
	if len(entries) != count || len(keys) != count {
		t.Errorf("room %q: %d entries with %d different keys, want %d", room, len(entries), len(keys), count)
	}
}

// SetMaxMemory sets Redis's memory limit in bytes; "0" means no limit.
func SetMaxMemory(t testing.TB, server *redistest.Server, limit string) {
	t.Helper()
	client := server.Client()
	defer client.Close()
	if err := client.ConfigSet(context.Background(), "maxmemory", limit).Err(); err != nil {
		t.Fatal(err)
	}
}
