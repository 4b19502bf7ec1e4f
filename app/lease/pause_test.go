//go:build unix

package lease_test

import (
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
	start(t, backend.Redis, lease.Options{Life: shortLife, Step: countTo(backend.Client, items, nil)})
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
