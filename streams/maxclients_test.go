package streams_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"burble/streams"
	"burble/streams/redistest"
)

// If Redis has too many clients, it sends an error over a new connection and closes the connection, without
// waiting for a command. A client that writes before it reads may get a network error instead.
func TestOpenReportsMaxClients(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]func(testing.TB, ...string) *redistest.Server{
		"Unix socket": redistest.Start, "TCP": redistest.StartTCP,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := start(t)
			client := server.Client()
			defer client.Close()
			if err := client.ConfigSet(t.Context(), "maxclients", "1").Err(); err != nil {
				t.Fatal(err)
			}
			for range 3 {
				_, err := streams.Open(t.Context(), streams.Options{Redis: server.Redis(), Wait: time.Millisecond})
				if !errors.Is(err, streams.ErrUnusable) || !strings.Contains(err.Error(), "max number of clients") {
					t.Fatalf("got error %v, want ErrUnusable with Redis's reason", err)
				}
			}
		})
	}
}
