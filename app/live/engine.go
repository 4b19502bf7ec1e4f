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
	// defaultHeartbeat is less than the 55 s after which Heroku's router closes an idle
	// connection.
	defaultHeartbeat = 20 * time.Second

	closeGone     = 0 // the code of a connection whose client is gone: no close frame is written
	errorReason   = "something went wrong on our side"
	restartReason = "the server is restarting: reconnect"
)

// ErrDraining is the error of Start while the engine shuts down.
var ErrDraining = errors.New("the server is shutting down")

// Options configure an Engine.
type Options struct {
	Log       *slog.Logger
	Heartbeat time.Duration // how often each connection gets a heartbeat; 0: every 20 s
}

// Engine runs the feeds of one server.
type Engine struct {
	log      *slog.Logger
	registry registry
	pumps    pumps
	workers  *workers
	tooSlow  atomic.Int64 // feeds closed because their client did not read

	ctx  context.Context // of all reads; ends after the last feed
	stop context.CancelFunc
}

// New returns an Engine. Run must run while feeds are open.
func New(options Options) *Engine {
	e := &Engine{log: options.Log, workers: newWorkers()}
	e.registry.heartbeat = cmp.Or(options.Heartbeat, defaultHeartbeat)
	e.pumps.ready.L = &e.pumps.mu
	e.ctx, e.stop = context.WithCancel(context.Background())
	return e
}

// Run runs the pumps and sends heartbeats until ctx ends. Call Drain before that: no feed may be
// open when Run returns.
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

// Drain refuses new feeds and closes the open ones, spread over a few seconds so that their clients
// do not all reconnect at once. It returns when they are closed, or when ctx ends.
func (e *Engine) Drain(ctx context.Context) { e.registry.drain(ctx) }

// IsDraining reports whether Drain was called.
func (e *Engine) IsDraining() bool { return e.registry.isDraining() }

// Count returns the number of open feeds.
func (e *Engine) Count() int { return e.registry.count() }

// SetStatus notifies every feed that Redis went away or came back. A feed that starts while Redis is
// away is notified at once.
func (e *Engine) SetStatus(away bool) {
	for _, feed := range e.registry.setAway(away) {
		feed.notifyStatus(away)
	}
}

// RunOnWorker runs work on another goroutine, whose stack has already grown, and waits for it. The
// comment on workers explains why.
func (e *Engine) RunOnWorker(work func()) { e.workers.do(work) }

// Start makes a feed of the connection, and runs serve with it in a new goroutine. The feed writes
// head before anything else. When serve returns, the feed closes the connection. userID is the
// reader's ID, "" for a client without a name.
//
// If the engine is draining, Start returns ErrDraining and does not touch the connection.
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

// Refuse writes head to the connection, closes it with the code and the reason, and returns when it
// is closed.
func (e *Engine) Refuse(conn net.Conn, codec Codec, head []byte, code int, reason string) {
	f := e.newFeed(conn, codec, "", head)
	f.HangUp(code, reason)
	f.finish()
}

// RefuseDraining is Refuse for a client that connects while the engine is draining.
func (e *Engine) RefuseDraining(conn net.Conn, codec Codec, head []byte) {
	e.Refuse(conn, codec, head, ws.CloseRestart, restartReason)
}

func (e *Engine) newFeed(conn net.Conn, codec Codec, userID string, head []byte) *Feed {
	f := &Feed{engine: e, conn: conn, codec: codec, userID: userID, unwritten: head}
	if conn, ok := conn.(syscall.Conn); ok {
		f.raw, _ = conn.SyscallConn() // nil after an error: then every write may block
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
