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

// ErrDraining is the error of Start while the engine shuts down.
var ErrDraining = errors.New("the server is shutting down")

// Options configure an Engine.
type Options struct {
	Log *slog.Logger
	// Heartbeat is how often an idle connection is written to. 0: every 20 s, which is less
	// than the 55 s after which Heroku's router closes an idle connection.
	Heartbeat time.Duration
}

// defaultHeartbeat is the default of Options.Heartbeat.
const defaultHeartbeat = 20 * time.Second

// Engine runs the feeds of one server.
type Engine struct {
	log      *slog.Logger
	registry registry
	pumps    pumps
	workers  *workers
	tooSlow  atomic.Int64 // feeds that were closed because their client did not read

	ctx  context.Context // of the reads; ends after the last feed
	stop context.CancelFunc
}

// New returns an Engine. Feeds may be started once Run runs.
func New(options Options) *Engine {
	e := &Engine{log: options.Log, workers: newWorkers()}
	e.registry.heartbeat = cmp.Or(options.Heartbeat, defaultHeartbeat)
	e.pumps.ready.L = &e.pumps.mu
	e.ctx, e.stop = context.WithCancel(context.Background())
	return e
}

// Run writes to the feeds and sends heartbeats until ctx ends. Call Drain first: Run waits
// for feeds that are still being written to.
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

// Drain refuses new feeds, closes the present ones one by one, spread over a few seconds so
// that their clients do not reconnect all at once, and returns when they are closed or ctx
// ends.
func (e *Engine) Drain(ctx context.Context) { e.registry.drain(ctx) }

// IsDraining reports whether Drain was called.
func (e *Engine) IsDraining() bool { return e.registry.isDraining() }

// Count returns the number of open feeds.
func (e *Engine) Count() int { return e.registry.count() }

// SetStatus tells every feed that Redis went away or came back. A feed that starts while
// Redis is away is told so first.
func (e *Engine) SetStatus(away bool) {
	for _, feed := range e.registry.setAway(away) {
		feed.notifyStatus(away)
	}
}

// RunOnWorker runs the work on a goroutine whose stack has grown already, and waits for it.
// See workers.
func (e *Engine) RunOnWorker(work func()) { e.workers.do(work) }

// Start runs serve with a feed over the connection, in a goroutine of its own. The feed
// writes head before anything else. When serve returns, the connection is closed. userID is
// the reader's, "" for a visitor without a name.
//
// If the engine is draining, Start returns ErrDraining and leaves the connection alone.
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

// Refuse writes head to the connection, closes it with the code and the reason, and returns
// when it is closed.
func (e *Engine) Refuse(conn net.Conn, codec Codec, head []byte, code int, reason string) {
	f := e.newFeed(conn, codec, "", head)
	f.HangUp(code, reason)
	f.finish()
}

func (e *Engine) newFeed(conn net.Conn, codec Codec, userID string, head []byte) *Feed {
	f := &Feed{engine: e, conn: conn, codec: codec, userID: userID, unwritten: head}
	if conn, ok := conn.(syscall.Conn); ok {
		f.raw, _ = conn.SyscallConn() // nil if it cannot be had: then every write may block
	}
	return f
}

// recoverFeed keeps a panic in one feed from ending the process.
func (e *Engine) recoverFeed() {
	if cause := recover(); cause != nil {
		e.logPanic(cause)
	}
}

func (e *Engine) logPanic(cause any) {
	e.log.Error("panic", "cause", cause, "stack", string(debug.Stack()))
}

// closeGone is the close code of a connection whose client is gone: nothing is written.
const closeGone = 0

// errorReason is the reason of ws.CloseInternal.
const errorReason = "something went wrong on our side"

// restartReason is the reason of ws.CloseRestart.
const restartReason = "the server is restarting: reconnect"

// RefuseDraining is Refuse for a client that came while the engine drains.
func (e *Engine) RefuseDraining(conn net.Conn, codec Codec, head []byte) {
	e.Refuse(conn, codec, head, ws.CloseRestart, restartReason)
}
