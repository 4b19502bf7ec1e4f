// Package redistest gives tests a Redis of their own: a real server on a Unix
// socket in a temporary folder, and miniredis.
//
// Without redis-server or valkey-server on PATH the real half of a test is
// skipped and says so; where CI is set, it fails.
package redistest

import (
	"context"
	"testing"

	"burble/streams"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
)

// Backend is a Redis of either sort, as Run hands it out.
type Backend struct {
	Real   bool
	Redis  *redis.UniversalOptions
	Client *redis.Client // for a test to look at the keys
}

// Run runs the body on miniredis and on a real Redis, as subtests.
func Run(t *testing.T, body func(t *testing.T, backend Backend)) {
	t.Run("miniredis", func(t *testing.T) {
		server := miniredis.RunT(t)
		backend(t, false, &redis.UniversalOptions{Addrs: []string{server.Addr()}}, body)
	})
	t.Run("redis", func(t *testing.T) {
		backend(t, true, Start(t).Redis(), body)
	})
}

func backend(t *testing.T, real bool, options *redis.UniversalOptions, body func(*testing.T, Backend)) {
	client := redis.NewClient(&redis.Options{Addr: options.Addrs[0], DisableIdentity: true})
	defer client.Close()
	body(t, Backend{Real: real, Redis: options, Client: client})
}

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
