//go:build unix

package redistest

import (
	"os"
	"syscall"
)

// Pause stops the server with SIGSTOP, so that it behaves like a hung machine. Connections stay open, but
// requests get no replies.
func (s *Server) Pause() { s.signal(syscall.SIGSTOP) }

// Resume undoes Pause. The server then processes everything that arrived in the meantime.
func (s *Server) Resume() { s.signal(syscall.SIGCONT) }

func (s *Server) signal(signal os.Signal) {
	s.t.Helper()
	if err := s.process.Process.Signal(signal); err != nil {
		s.t.Fatal(err)
	}
}
