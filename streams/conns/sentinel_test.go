//go:build unix

package conns_test

import (
	"context"
	"testing"
	"time"

	"burble/streams/conns"
	"burble/streams/redistest"
)

// Two of three Sentinels, including the one that the pools used before, accept connections but do not
// answer. Every pool must find the primary through the third.
func TestHangingSentinelsAreSkipped(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	ctx := context.Background()
	s := redistest.StartSentinel(t)
	set := conns.New(conns.Options{Redis: s.Redis(), Stream: "stream"})
	t.Cleanup(func() { set.Close() })
	pools := map[string]conns.Client{"retrying": set.Retrying, "unretried": set.Unretried, "blocking": set.Blocking}
	for name, pool := range pools {
		if err := pool.Ping(ctx).Err(); err != nil {
			t.Fatalf("ping through the %s pool: %v", name, err)
		}
	}
	client := s.Primary().Client()
	t.Cleanup(func() { client.Close() })
	for _, sentinel := range s.Sentinels[:2] {
		sentinel.Pause()
		t.Cleanup(sentinel.Resume)
	}
	if err := client.ClientKillByFilter(ctx, "TYPE", "normal").Err(); err != nil {
		t.Fatal(err)
	}
	for name, pool := range pools {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			deadline := time.Now().Add(40 * time.Second)
			for err := pool.Ping(ctx).Err(); err != nil; err = pool.Ping(ctx).Err() {
				if time.Now().After(deadline) {
					t.Fatalf("timed out waiting for the primary: %v", err)
				}
			}
		})
	}
}
