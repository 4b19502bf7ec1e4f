// Package localredis provides a Redis when none is configured. It runs redis-server or valkey-server
// as a child process, whichever is on PATH. If neither is, it runs miniredis inside this process.
//
//	server, err := localredis.Open(ctx, localredis.Options{DataDir: "data", Log: log})
//	defer server.Close()
//	rdb := redis.NewClient(&redis.Options{Addr: server.Addr, Password: server.Password})
//
// A child keeps its data in Options.DataDir and listens only on a Unix socket that no other user can
// reach. If it dies, the package restarts it. The child finishes its writes and exits after
// [Server.Close], and on Linux also when this process is killed. On other systems, a child outlives a
// killed parent and keeps the data directory locked until the user stops it. On Windows there is only
// miniredis.
//
// miniredis is for trying Burble out. It persists nothing. It reads streams by linear search, so
// callers should limit the length of their streams.
//
// Open is safe for concurrent use, also by several processes. Calls with the same data directory wait
// for one another.
package localredis

import (
	"context"
	"log/slog"
)

// Options configure Open. All but FsyncAlways are required.
type Options struct {
	// DataDir is the directory for the data of a child process. Open creates it if it is missing,
	// and gives access only to this user. miniredis does not use it.
	DataDir string

	// FsyncAlways makes a child sync every write to disk before it replies, instead of once per
	// second.
	FsyncAlways bool

	Log *slog.Logger
}

// Server is a Redis that this process started. The caller must Close it.
type Server struct {
	// Addr is host:port, or the path of a Unix socket.
	Addr     string
	Password string

	// Description is one line for the log. It contains no password.
	Description string

	// InProcess reports whether this is miniredis, whose data is lost when the process ends.
	InProcess bool

	close func()
}

// Open starts a server and returns when the server accepts commands. There is no time limit for a
// child process that is loading its data.
//
// ctx cancels only the start, and the server runs until Close. If another process has locked the data
// directory, Open waits up to 10 s for it before it returns an error.
func Open(ctx context.Context, o Options) (*Server, error) {
	if program := findProgram(); program != "" {
		return openChild(ctx, program, o)
	}
	return openInProcess()
}

// Close stops the server. It waits up to 10 s for a child process to write its data. Further calls of Close do nothing.
func (s *Server) Close() { s.close() }
