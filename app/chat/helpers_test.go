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
//	startPresence  returns a presence on miniredis and a client of that miniredis

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
