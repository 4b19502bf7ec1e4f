// Package redistest gives tests a Redis of their own: a real server on a Unix
// socket in a temporary folder, miniredis, a Sentinel or a Cluster; and what goes
// wrong with them.
//
// Without redis-server or valkey-server on PATH whatever is real is skipped and
// says so; where CI is set, it fails.
package redistest

import (
	"context"
	"testing"

	"burble/streams"
)

// Open opens a Store on the Redis and runs it until the test ends.
func Open(t testing.TB, options streams.Options) *streams.Store {
	t.Helper()
	store, err := streams.Open(context.Background(), options)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- store.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("run: %v", err)
		}
		if err := store.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return store
}
