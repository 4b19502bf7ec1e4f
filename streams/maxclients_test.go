package streams_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"burble/streams"
	"burble/streams/redistest"
)

// Redis refuses a connection with a line that it sends before the first command. A client that writes
// first may get a network error instead.
func TestErrorNamesTooManyClients(t *testing.T) {
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
					t.Fatalf("error %v, want ErrUnusable with the reason that Redis gave", err)
				}
			}
		})
	}
}
