package chat

import (
	"log/slog"
	"os"
	"testing"

	"burble/streams"
	"burble/streams/redistest"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
)

// Helpers of this package's tests:
//
//	startPresence  a presence over a store on miniredis, and a Redis client beside it

func TestMain(m *testing.M) { os.Exit(redistest.Main(m)) }

// startPresence returns a presence over a store on miniredis, and a Redis client to interfere with
// it.
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
