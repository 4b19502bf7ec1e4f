//go:build unix

package redistest

import (
	"os"
	"syscall"
)

// Pause stops the server with SIGSTOP, as a machine that hangs: it keeps its
// connections, and answers nobody.
func (s *Server) Pause() { s.signal(syscall.SIGSTOP) }

// Resume ends Pause. What was sent to the server meanwhile it does now.
func (s *Server) Resume() { s.signal(syscall.SIGCONT) }

func (s *Server) signal(signal os.Signal) {
	s.t.Helper()
	if err := s.process.Process.Signal(signal); err != nil {
		s.t.Fatal(err)
	}
}
