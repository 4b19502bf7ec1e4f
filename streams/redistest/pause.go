//go:build unix

package redistest

import (
	"os"
	"syscall"
)

// Pause stops the server with SIGSTOP, like a machine that hangs: connections stay open and
// nothing is answered.
func (s *Server) Pause() { s.signal(syscall.SIGSTOP) }

// Resume ends Pause. The server then processes what was sent in the meantime.
func (s *Server) Resume() { s.signal(syscall.SIGCONT) }

func (s *Server) signal(signal os.Signal) {
	s.t.Helper()
	if err := s.process.Process.Signal(signal); err != nil {
		s.t.Fatal(err)
	}
}
