// Command app serves Burble: the pages, the JSON API and the live reads, over
// rooms that package streams keeps in Redis.
//
// A request passes, in this order: panics caught (caught), headers (secure), origin
// (checkOrigin), limits (limitAddress), token (checkToken), its handler. An error is
// told by tell, and a large answer counted on its way out (limitUnread). A live read
// leaves the HTTP server and becomes a feed, see feed.go.
//
// Each goroutine is waited for by whoever started it. What is shared: the Store,
// the limiters and the registry of feeds, each with its own lock. A feed's state
// is the feed's.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"runtime/debug"
	"sync"
	"time"

	"burble/app/identity"
	"burble/app/limit"
	"burble/app/protocol"
	"burble/streams"
	"burble/views"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
	"golang.org/x/time/rate"
)

const (
	// drainTime is less than the 30 s that Heroku and Fly leave after SIGTERM.
	drainTime = 20 * time.Second
	// requestTime is how long a client may take to send a request.
	requestTime = 15 * time.Second
	// answerTime is how long it may take to read the answer, if that is no live read.
	answerTime = 60 * time.Second
	// idleTime is above the 90 s that Heroku's router keeps a connection.
	idleTime = 120 * time.Second
)

// App is one server. New makes it, Serve runs it.
type App struct {
	config  Config
	log     *slog.Logger
	store   *streams.Store
	tokens  *identity.Tokens
	limits  limits
	feeds   feeds
	pumps   pumps
	stacks  *stacks
	metrics metrics
	fiber   *fiber.App

	presence *presence
	health   kept[error]    // what Redis says of itself
	outages  rate.Sometimes // are written down

	ctx  context.Context // of the reads and appends; ends after the last feed
	stop context.CancelFunc
}

// limits are, in this process, the token buckets of users and addresses, and what an
// address holds.
type limits struct {
	messages, signals, address, connections *limit.Rate

	open, live, unread            *limit.Quota // connections, live reads, bytes of answers
	userSearches, addressSearches *limit.Quota // that run
}

// New makes a server over a store that runs, and goes on running until Serve has
// returned. The secret signs cookies and tokens.
func New(config Config, log *slog.Logger, store *streams.Store, secret []byte) *App {
	a := &App{config: config, log: log, store: store, tokens: identity.NewTokens(secret), stacks: newStacks(), outages: rate.Sometimes{Interval: time.Second}}
	a.pumps.more.L = &a.pumps.mu
	a.ctx, a.stop = context.WithCancel(context.Background())
	a.limits = limits{
		messages:    limit.NewRate(config.RateMessages, int(4*config.RateMessages)),
		signals:     limit.NewRate(config.RateMessages, int(4*config.RateMessages)),
		address:     limit.NewRate(config.RateAddress, int(4*config.RateAddress)),
		connections: limit.NewRate(config.RateConnections, int(20*config.RateConnections)),
		open:        limit.NewQuota(int(math.Ceil(connectionsMost * config.RateConnections))),
		live:        limit.NewQuota(int(math.Ceil(connectionsMost * config.RateConnections))),
		unread:      limit.NewQuota(unreadMost),

		userSearches:    limit.NewQuota(1),
		addressSearches: limit.NewQuota(searchesMost),
	}
	a.metrics = newMetrics(a)
	a.presence = newPresence(store, log)
	a.fiber = fiber.New(fiber.Config{
		Views: views.Engine(), ViewsLayout: views.Layout,
		ErrorHandler: a.tell, BodyLimit: protocol.MaxFrame,
		CaseSensitive: true, StrictRouting: true, // one spelling: the middleware looks at paths
		ReadTimeout: requestTime, WriteTimeout: answerTime, IdleTimeout: idleTime,
		ReadBufferSize: 4 << 10, Immutable: true, DisableStartupMessage: true,
	})
	a.fiber.Server().KeepHijackedConns = true // a feed closes its own
	a.routes()
	a.renderFirst()
	return a
}

// renderFirst renders a page to nowhere. At its first Render Fiber makes a list that
// it reads at every error, without a lock: requests would race for it.
func (a *App) renderFirst() {
	c := a.fiber.AcquireCtx(&fasthttp.RequestCtx{})
	defer a.fiber.ReleaseCtx(c)
	if err := c.Render("error", views.Error{}); err != nil {
		a.log.Error("cannot render a page", "error", err)
	}
}

// Serve takes connections from the listener until ctx ends, then sends everyone
// away and returns, within 25 s.
func (a *App) Serve(ctx context.Context, listener net.Listener) error {
	var running sync.WaitGroup
	beating, silence := context.WithCancel(context.WithoutCancel(ctx))
	running.Go(func() { a.feeds.run(beating) })
	running.Go(a.pumps.run)
	running.Go(func() { a.presence.run(beating) })
	served := make(chan error, 1)
	go func() { served <- a.fiber.Listener(a.door(listener)) }()

	var err error
	select {
	case err = <-served:
		err = fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
		err = a.drain(served, listener)
	}
	silence()
	a.pumps.end()
	a.stacks.end()
	running.Wait()
	a.stop()
	return err
}

// drain ends in order: live reads, requests.
func (a *App) drain(served chan error, listener net.Listener) error {
	a.log.Info("going away", "live_reads", a.feeds.count())
	ctx, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	a.feeds.drain(ctx)
	if err := a.fiber.ShutdownWithTimeout(3 * time.Second); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("end the requests: %w", err)
	}
	listener.Close() // Shutdown knows nothing of a listener that is about to be served
	return <-served
}

// OnStatus tells every live read that Redis went away or came back.
func (a *App) OnStatus(away bool) {
	for _, feed := range a.feeds.list() {
		feed.tell(away)
	}
}

func (a *App) logPanic(cause any) {
	a.log.Error("panic", "cause", cause, "stack", string(debug.Stack()))
}

// recoverFeed keeps a panic in one live read from ending the process.
func (a *App) recoverFeed() {
	if cause := recover(); cause != nil {
		a.logPanic(cause)
	}
}

// logAccident writes down what was refused by an accident. While Redis is full or away
// everything is, and is counted by the metrics: one a second is enough.
func (a *App) logAccident(told *protocol.Error, args ...any) {
	if !told.IsServerFault() {
		return
	}
	log := func() { a.log.Warn("refused", append(args, "code", told.Code, "error", told.Cause)...) }
	if errors.Is(told.Cause, streams.ErrFull) || errors.Is(told.Cause, streams.ErrUnavailable) {
		a.outages.Do(log)
		return
	}
	log()
}
