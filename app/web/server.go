package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"runtime/debug"
	"time"

	"burble/app/chat"
	"burble/app/identity"
	"burble/app/limit"
	"burble/app/live"
	"burble/app/protocol"
	"burble/app/socket"
	"burble/streams"
	"burble/views"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/valyala/fasthttp"
	"golang.org/x/time/rate"
)

const (
	// DrainTimeout is less than the 30 s that Heroku and Fly leave after SIGTERM.
	DrainTimeout = 20 * time.Second
	// requestTimeout is how long a client may take to send a request.
	requestTimeout = 15 * time.Second
	// responseTimeout is how long a client may take to read a response that is not a live read.
	responseTimeout = 60 * time.Second
	// idleTimeout is above the 90 s for which Heroku's router keeps a connection.
	idleTimeout = 120 * time.Second
)

// Options configure a Server.
type Options struct {
	Log          *slog.Logger
	Chat         *chat.Service
	Live         *live.Engine
	Tokens       *identity.Tokens
	Durability   streams.Durability // shown to clients
	Origins      []string           // more origins whose pages may connect, as peer.CanonicalOrigin returns them
	TrustedProxy string             // peer.ProxyNone, peer.ProxyFly or peer.ProxyHeroku

	// Rates for each client address, a second; 0: no limit.
	RequestRate    float64 // requests and WebSocket frames
	ConnectionRate float64 // new connections and live reads
}

// Server serves HTTP. New makes it, Serve runs it.
type Server struct {
	options Options
	log     *slog.Logger
	chat    *chat.Service
	live    *live.Engine
	tokens  *identity.Tokens
	sockets *socket.Server
	limits  limits
	fiber   *fiber.App

	health     cached[error] // what Health last returned
	metrics    *prometheus.Registry
	outageLogs rate.Sometimes
}

// limits are the limits for each client address.
type limits struct {
	requests, connections *limit.Rate

	open, liveReads, unread *limit.Quota // connections, live reads, bytes of responses
}

// New returns a Server. The chat service and the live engine must run while it serves.
func New(options Options) *Server {
	atOnce := int(math.Ceil(connectionFactor * options.ConnectionRate))
	s := &Server{
		options: options, log: options.Log, chat: options.Chat, live: options.Live, tokens: options.Tokens,
		limits: limits{
			requests:    limit.NewRate(options.RequestRate, int(4*options.RequestRate)),
			connections: limit.NewRate(options.ConnectionRate, int(20*options.ConnectionRate)),
			open:        limit.NewQuota(atOnce),
			liveReads:   limit.NewQuota(atOnce),
			unread:      limit.NewQuota(maxUnread),
		},
		metrics:    prometheus.NewRegistry(),
		outageLogs: rate.Sometimes{Interval: time.Second},
	}
	s.sockets = &socket.Server{Chat: s.chat, Engine: s.live, Frames: s.limits.requests, LogError: s.logError}
	s.fiber = fiber.New(fiber.Config{
		Views: views.Engine(), ViewsLayout: views.Layout,
		ErrorHandler: s.respondError, BodyLimit: protocol.MaxFrame,
		CaseSensitive: true, StrictRouting: true, // one spelling: the middleware looks at paths
		ReadTimeout: requestTimeout, WriteTimeout: responseTimeout, IdleTimeout: idleTimeout,
		ReadBufferSize: 4 << 10, Immutable: true, DisableStartupMessage: true,
	})
	s.fiber.Server().KeepHijackedConns = true // a feed closes its own
	s.routes()
	s.renderFirst()
	return s
}

// renderFirst renders a page to nowhere. At its first Render, Fiber builds a list that it reads
// without a lock at every error: concurrent requests would race for it.
func (s *Server) renderFirst() {
	c := s.fiber.AcquireCtx(&fasthttp.RequestCtx{})
	defer s.fiber.ReleaseCtx(c)
	if err := c.Render("error", views.Error{}); err != nil {
		s.log.Error("cannot render a page", "error", err)
	}
}

// Serve serves connections from the listener until ctx ends. Then it drains, for at most
// 25 s: it closes the live reads, finishes the requests, and returns.
func (s *Server) Serve(ctx context.Context, listener net.Listener) error {
	served := make(chan error, 1)
	go func() { served <- s.fiber.Listener(s.limitConnections(listener)) }()
	select {
	case err := <-served:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	s.log.Info("draining", "live_reads", s.live.Count())
	draining, cancel := context.WithTimeout(context.Background(), DrainTimeout)
	defer cancel()
	s.live.Drain(draining)
	if err := s.fiber.ShutdownWithTimeout(3 * time.Second); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("finish the requests: %w", err)
	}
	listener.Close() // Shutdown does not close a listener that is about to be served
	return <-served
}

func (s *Server) logPanic(cause any) {
	s.log.Error("panic", "cause", cause, "stack", string(debug.Stack()))
}

// logError logs an error that is our fault. While Redis is full or away every append fails and
// is counted by the metrics: one line a second is enough.
func (s *Server) logError(refused *protocol.Error, args ...any) {
	if !refused.IsServerFault() {
		return
	}
	log := func() {
		s.log.Warn("request failed", append(args, "code", refused.Code, "error", refused.Cause)...)
	}
	if errors.Is(refused.Cause, streams.ErrFull) || errors.Is(refused.Cause, streams.ErrUnavailable) {
		s.outageLogs.Do(log)
		return
	}
	log()
}
