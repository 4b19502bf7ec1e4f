package chat

import (
	"context"
	"log/slog"
	"os"
	"testing"
	"time"

	"burble/streams"
	"burble/streams/redistest"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
)

// Helpers of this package's tests:
//
//	runPresence    returns a running presence on a real Redis
//	startPresence  returns a presence on miniredis, and a client of that miniredis

func TestMain(m *testing.M) { os.Exit(redistest.Main(m)) }

// startPresence returns a presence whose store is on miniredis, and a client with which the test can
// corrupt its data.
func startPresence(t *testing.T) (*presence, redis.UniversalClient) {
	t.Helper()
	options := &redis.UniversalOptions{Addrs: []string{miniredis.RunT(t).Addr()}}
	store := redistest.Open(t, streams.Options{Redis: options})
	client := redis.NewUniversalClient(options)
	t.Cleanup(func() { client.Close() })
	return newPresence(store, Options{
		Log:           slog.New(slog.DiscardHandler),
		EncodePresent: func(string, int, []streams.User) []byte { return nil },
	}), client
}

// runPresence runs a presence on the Redis until the test ends. Its heartbeats are frequent, and it
// counts as alive for 10 s after each.
func runPresence(t *testing.T, options *redis.UniversalOptions) *presence {
	t.Helper()
	p := newPresence(redistest.Open(t, streams.Options{Redis: options}), Options{
		Log:           slog.New(slog.DiscardHandler),
		EncodePresent: func(string, int, []streams.User) []byte { return nil },
	})
	p.heartbeats.interval, p.heartbeats.timeout = 200*time.Millisecond, 10*time.Second
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { p.run(ctx); close(ended) }()
	t.Cleanup(func() { stop(); <-ended })
	return p
}
