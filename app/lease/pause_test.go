//go:build unix

package lease_test

import (
	"context"
	"sync/atomic"
	"syscall"
	"testing"

	"burble/app/lease"
	"burble/streams/redistest"
)

func TestPausedHolderDoesNotMoveCursorBack(t *testing.T) {
	t.Parallel()
	backend := redistest.Single(t)
	paused := startServer(t, backend.Redis.Addrs[0], 5)
	pause(t, paused)
	start(t, backend.Redis, lease.Options{Lifetime: shortLifetime, Step: countTo(backend.Client, items, nil)})
	await(t, "the work to be done", func() bool { return cursorOf(t, backend.Client) == "12" })
	resume(t, paused)
	if _, err := paused.input.Write([]byte("\n")); err != nil {
		t.Fatal(err)
	}
	paused.awaitLine(t, "background job interrupted")
	if cursor := cursorOf(t, backend.Client); cursor != "12" {
		t.Errorf("the cursor is %s, want 12", cursor)
	}
	if all, _ := done(t, backend.Client); len(all) != items {
		t.Errorf("done: %v, want %d items", all, items)
	}
}

// pause stops the server, like a machine that hangs.
func pause(t *testing.T, s *server)  { signal(t, s, syscall.SIGSTOP) }
func resume(t *testing.T, s *server) { signal(t, s, syscall.SIGCONT) }

func signal(t *testing.T, s *server, signal syscall.Signal) {
	t.Helper()
	if err := s.process.Signal(signal); err != nil {
		t.Fatal(err)
	}
}

func TestStepEndsWhenRedisHangs(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	client := server.Client()
	defer client.Close()
	var steps atomic.Int32
	entered, left := make(chan struct{}), make(chan struct{})
	start(t, server.Redis(), lease.Options{Lifetime: shortLifetime, Step: func(ctx context.Context, cursor string) (string, bool, error) {
		if steps.Add(1) > 1 {
			return "done", true, nil
		}
		close(entered)
		<-ctx.Done()
		close(left)
		return "", false, ctx.Err()
	}})
	awaitSignal(t, "the server to work", entered)
	server.Pause()
	awaitSignal(t, "the context to end", left)
	server.Resume()
	await(t, "the server to continue", func() bool { return cursorOf(t, client) == "done" })
}
