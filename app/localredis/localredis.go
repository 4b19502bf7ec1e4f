// Package localredis provides a Redis where none is configured. It runs redis-server or
// valkey-server, whichever is on PATH, as a child process; without either it runs
// miniredis inside this process.
//
// A child keeps its data in Options.DataDir and listens only on a Unix socket that no
// other user can reach. It is restarted when it dies. It ends with this process, and
// finishes writing before it does: after [Server.Close], and on Linux also when this
// process is killed. Elsewhere a child outlives a killed parent and keeps the data
// directory locked until it is stopped by hand. On Windows there is no child, only miniredis.
//
// miniredis is for trying Burble out. It persists nothing, and it searches a stream from
// end to end, so its user should bound the length of streams.
//
// Open may be called by several goroutines and processes at once; those that name the
// same data directory wait for one another.
package localredis

import (
	"context"
	"log/slog"

	"github.com/redis/go-redis/v9"
)

// Options configure Open. All but FsyncAlways are required.
type Options struct {
	// DataDir is where a child process keeps its data. Open creates it if it is missing,
	// with access for this user only. miniredis does not use it.
	DataDir string

	// FsyncAlways makes a child sync every write to disk before it answers, instead of
	// once a second.
	FsyncAlways bool

	Log *slog.Logger
}

// Server is a Redis that this process started. The caller must Close it.
type Server struct {
	// Options are the address and the password, for a client on this machine.
	Options *redis.UniversalOptions

	// Description is one line for the log. It contains no password.
	Description string

	// InProcess reports that this is miniredis, whose data is lost with the process.
	InProcess bool

	close func()
}

// Open starts a server and returns when it accepts commands. A child process that has to
// load its data first may take as long as it needs.
//
// ctx bounds the start only; the server runs until Close. If another process still holds
// the data directory, Open waits up to 10 s for it before it returns an error.
func Open(ctx context.Context, o Options) (*Server, error) {
	if program := findProgram(); program != "" {
		return openChild(ctx, program, o)
	}
	return openInProcess()
}

// Close stops the server, and waits until a child process has written its data, but at
// most 10 s. Options must not be used afterwards. Calling Close again does nothing.
func (s *Server) Close() { s.close() }
