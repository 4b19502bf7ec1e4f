// Package redistest starts Redis servers for tests, and makes them fail.
//
// [Start] starts a real server on a Unix socket in a temporary folder. [StartSentinel] and
// [StartCluster] start several servers, and [StartProxy] starts a proxy that can fail like a
// network. [Run] runs a test on miniredis, on a real Redis and on a Cluster. [Open] opens a Store
// on any of them. Everything stops at the end of the test, except the Clusters of [Run], which tests share, and
// which stop in [Main].
//
// Without redis-server or valkey-server in PATH, tests with real servers are skipped, or fail if CI
// is set.
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
	RunStore(t, store)
	return store
}

// RunStore runs the Store, which the test's cleanup closes.
func RunStore(t testing.TB, store *streams.Store) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- store.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
		if err := store.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
}
