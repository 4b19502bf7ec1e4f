package live

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net"
	"runtime/debug"
	"sync/atomic"
	"syscall"
	"time"

	"burble/app/ws"
)

const (
	// defaultHeartbeat is well below the 55 s after which Heroku's router closes an idle
	// connection.
	defaultHeartbeat = 20 * time.Second

	closeSilently = 0 // the code for closing without a close frame, because the client is gone
	errorReason   = "something went wrong on our side"
	restartReason = "the server is restarting: reconnect"
)

// ErrDraining is returned by Start while the engine is draining.
var ErrDraining = errors.New("the server is shutting down")

// Options configure an Engine.
type Options struct {
	Log       *slog.Logger
	Heartbeat time.Duration // interval between heartbeats on each connection; 0 means 20 s
}

// Engine runs the feeds of one server.
type Engine struct {
	log      *slog.Logger
	registry registry
	pumps    pumps
	workers  *workers
	tooSlow  atomic.Int64 // feeds closed because their clients read too slowly

	ctx  context.Context // for all reads; canceled after the last feed is closed
	stop context.CancelFunc
}

// New returns an Engine. The caller must keep Run running while feeds are open.
func New(options Options) *Engine {
	e := &Engine{log: options.Log, workers: newWorkers()}
	e.registry.heartbeat = cmp.Or(options.Heartbeat, defaultHeartbeat)
	e.pumps.ready.L = &e.pumps.mu
	e.ctx, e.stop = context.WithCancel(context.Background())
	return e
}

// Run runs the pumps and sends heartbeats until ctx ends. The caller must call Drain before it
// cancels ctx, because no feed may be open when Run returns.
func (e *Engine) Run(ctx context.Context) error {
	pumping := make(chan struct{})
	go func() {
		defer close(pumping)
		e.pumps.run()
	}()
	e.registry.sendHeartbeats(ctx)
	e.pumps.end()
	e.workers.end()
	<-pumping
	e.stop()
	return nil
}

// Drain refuses new feeds and closes the open ones. It spreads the closing over a few seconds so that
// the clients do not all reconnect at once. It returns when all feeds are closed or ctx ends.
func (e *Engine) Drain(ctx context.Context) { e.registry.drain(ctx) }

// IsDraining reports whether Drain has been called.
func (e *Engine) IsDraining() bool { return e.registry.isDraining() }

// Count returns the number of open feeds.
func (e *Engine) Count() int { return e.registry.count() }

// SetStatus notifies every feed that Redis went away or came back. Feeds that start while Redis is
// away are notified right after the start.
func (e *Engine) SetStatus(away bool) {
	for _, feed := range e.registry.setAway(away) {
		feed.notifyStatus(away)
	}
}

// RunOnWorker runs work on a goroutine whose stack has already grown, and waits for it. See workers.
func (e *Engine) RunOnWorker(work func()) { e.workers.do(work) }

// Start creates a feed for the connection and runs serve with it in a new goroutine. The feed writes
// head before anything else, and closes the connection when serve returns. userID is the ID of the
// connection's user, or "" if the client has no name.
//
// If the engine is draining, Start returns ErrDraining and leaves the connection untouched.
func (e *Engine) Start(conn net.Conn, codec Codec, userID string, head []byte, serve func(*Feed)) error {
	f := e.newFeed(conn, codec, userID, head)
	if !e.registry.add(f) {
		return ErrDraining
	}
	go func() {
		defer e.registry.remove(f)
		defer f.finish()
		defer e.recoverFeed()
		serve(f)
	}()
	return nil
}

// Refuse writes head to the connection and closes it with the code and reason. It returns when the
// connection is closed.
func (e *Engine) Refuse(conn net.Conn, codec Codec, head []byte, code int, reason string) {
	f := e.newFeed(conn, codec, "", head)
	f.HangUp(code, reason)
	f.finish()
}

// RefuseDraining is like Refuse, with the code and the reason for a server that is draining.
func (e *Engine) RefuseDraining(conn net.Conn, codec Codec, head []byte) {
	e.Refuse(conn, codec, head, ws.CloseRestart, restartReason)
}

func (e *Engine) newFeed(conn net.Conn, codec Codec, userID string, head []byte) *Feed {
	f := &Feed{engine: e, conn: conn, codec: codec, userID: userID, unwritten: head}
	if conn, ok := conn.(syscall.Conn); ok {
		f.raw, _ = conn.SyscallConn() // nil on error; writes then block
	}
	return f
}

// recoverFeed logs a panic in one feed, so that it does not crash the process.
func (e *Engine) recoverFeed() {
	if cause := recover(); cause != nil {
		e.logPanic(cause)
	}
}

func (e *Engine) logPanic(cause any) {
	e.log.Error("panic", "cause", cause, "stack", string(debug.Stack()))
}
