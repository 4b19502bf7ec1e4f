package streams_test

import (
	"fmt"
	"testing"
	"time"

	"burble/streams"
	"burble/streams/redistest"

	"github.com/redis/go-redis/v9"
)

// If the Redis client retried a heartbeat whose reply was lost, the retry would report the server as known.
func TestHeartbeatIsNotRetried(t *testing.T) {
	t.Parallel()
	proxy := redistest.StartProxy(t, redistest.StartTCP(t).Addr)
	store := redistest.Open(t, streams.Options{Redis: &redis.UniversalOptions{Addrs: []string{proxy.Addr}}})
	proxy.DropReplies(0.3)
	defer proxy.DropReplies(0)
	for i := range 50 {
		if known, err := store.Heartbeat(t.Context(), fmt.Sprint("server ", i), time.Minute); err == nil && known {
			t.Fatalf("Heartbeat of new server %d: got known, want new", i)
		}
	}
}
