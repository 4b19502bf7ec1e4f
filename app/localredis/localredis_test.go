package localredis

import (
	"strings"
	"testing"
	"time"

	"burble/streams/conns"
	"burble/streams/redistest"
)

// Idempotency keys must expire in miniredis too.
func TestOpenFallsBackToMiniredisWithExpiringKeys(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	server := mustOpen(t, options(t))
	if !server.InProcess || !strings.Contains(server.Description, "lost") {
		t.Errorf("got %+v, want a Redis in this process whose description warns that data will be lost", server)
	}
	client := connect(t, server)
	if err := client.Set(t.Context(), "k", "v", 20*time.Millisecond).Err(); err != nil {
		t.Fatal(err)
	}
	waitUntil(t, "the key to expire", func() bool { return client.Exists(t.Context(), "k").Val() == 0 })
}

func TestMiniredisRequiresItsPassword(t *testing.T) {
	t.Parallel()
	server, err := openInProcess()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	stranger := redistest.Connect(t, &conns.Address{Addrs: []string{server.Addr}})
	if stranger.Ping(t.Context()).Err() == nil {
		t.Error("a client without the password was accepted")
	}
	if err := connect(t, server).Ping(t.Context()).Err(); err != nil {
		t.Errorf("a client with the password was refused: %v", err)
	}
}
