//go:build unix

package lease_test

import (
	"syscall"
	"testing"
)

// pause stops the server, like a machine that hangs.
func pause(t *testing.T, s *server)  { signal(t, s, syscall.SIGSTOP) }
func resume(t *testing.T, s *server) { signal(t, s, syscall.SIGCONT) }

func signal(t *testing.T, s *server, signal syscall.Signal) {
	t.Helper()
	if err := s.process.Signal(signal); err != nil {
		t.Fatal(err)
	}
}
