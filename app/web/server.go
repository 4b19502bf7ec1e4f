package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"runtime/debug"
	"time"

	"burble/app/accounts"
	"burble/app/accounts/oidc"
	"burble/app/attachments"
	"burble/app/caller"
	"burble/app/chat"
	"burble/app/httpguard"
	"burble/app/limit"
	"burble/app/live"
	"burble/app/pages"
	"burble/app/previews"
	"burble/app/protocol"
	"burble/app/socket"
	"burble/app/throttle"
	"burble/streams"
	"burble/views"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/valyala/fasthttp"
	"golang.org/x/time/rate"
)

const (
	// DrainTimeout limits how long Serve takes to close live reads. Together with shutdownTimeout, it
	// is less than the 30 s that Heroku and Fly allow after SIGTERM.
	DrainTimeout = 20 * time.Second
	// shutdownTimeout limits how long Serve then waits for other requests to finish.
	shutdownTimeout = 3 * time.Second
	// requestTimeout is how long a client may take to send a request.
	requestTimeout = 15 * time.Second
	// responseTimeout is how long a client may take to read a response other than a live read.
	responseTimeout = 60 * time.Second
	// idleTimeout exceeds the 90 s for which Heroku's router keeps an idle connection open.
	idleTimeout = 120 * time.Second
)

// Options configure a Server.
type Options struct {
	Log          *slog.Logger
	Chat         *chat.Service
	Live         *live.Engine
	Callers      *caller.Identifier
	Accounts     *accounts.Accounts
	Provider     *oidc.Provider       // the identity provider; nil if there is none
	ProviderName string               // shown to people
	Previews     *previews.Previews   // nil if link previews are off
	Files        *attachments.Service // nil if there is no store for files
	Mode         streams.Mode
	Durability   streams.Durability // shown to clients
	Version      string             // shown by /healthz
	Origins      []string           // other origins whose pages may connect, as peer.CanonicalOrigin returns them
	Hosts        []string           // names of this server, for httpguard.NewHosts; the hosts of Origins are added
	TrustedProxy string             // one of the constants peer.Proxy…
	MetricsToken string             // required to read the metrics, unless it is empty

	SecurityContact string // for files.Options

	// Rates per second for each client address; 0 means no limit.
	RequestRate    float64 // requests and WebSocket frames
	ConnectionRate float64 // new connections and live reads
}

// Server is Burble's HTTP server.
type Server struct {
	options Options
	log     *slog.Logger
	chat    *chat.Service
	live    *live.Engine
	callers *caller.Identifier
	hosts   httpguard.Hosts
	sockets *socket.Server
	pages   *pages.Pages
	limits  *throttle.Limits
	fiber   *fiber.App

	fileLimits *protocol.FileLimits // nil if the server accepts no files

	health     limit.Memo[error] // the last result of Chat.Health
	metrics    *prometheus.Registry
	outageLogs rate.Sometimes
	originLogs rate.Sometimes
	hostLogs   rate.Sometimes
}

// New returns a Server. The chat service and the live engine must be running while it serves.
func New(options Options) *Server {
	s := &Server{
		options: options, log: options.Log, chat: options.Chat, live: options.Live, callers: options.Callers,
		hosts:      newHosts(options),
		limits:     throttle.New(options.RequestRate, options.ConnectionRate),
		health:     limit.Memo[error]{MaxAge: cacheTime},
		metrics:    prometheus.NewRegistry(),
		outageLogs: rate.Sometimes{Interval: time.Second},
		hostLogs:   rate.Sometimes{Interval: time.Minute},
		originLogs: rate.Sometimes{Interval: time.Minute},
	}
	if options.Files != nil {
		s.fileLimits = &protocol.FileLimits{Picture: options.Files.MaxPicture(), File: options.Files.MaxFile(), Count: protocol.MaxFiles}
	}
	s.pages = pages.New(pages.Options{
		Chat: s.chat, Callers: s.callers, Limits: s.limits, Mode: options.Mode, Origins: options.Origins,
		FileLimits: s.fileLimits, HasPreviews: options.Previews != nil,
	})
	s.sockets = &socket.Server{Chat: s.chat, Engine: s.live, Previews: options.Previews, Frames: s.limits.Requests, LogError: s.logError}
	s.fiber = fiber.New(fiber.Config{
		Views: views.Engine(), ViewsLayout: views.Layout,
		ErrorHandler: s.respondError, BodyLimit: protocol.MaxFrame,
		CaseSensitive: true, StrictRouting: true, // middleware compares paths, so each must have one spelling
		ReadTimeout: requestTimeout, WriteTimeout: responseTimeout, IdleTimeout: idleTimeout,
		// With ReduceMemoryUsage, an idle connection has no buffer.
		ReadBufferSize: httpguard.MaxHeader, ReduceMemoryUsage: true, Immutable: true, DisableStartupMessage: true,
	})
	s.fiber.Server().KeepHijackedConns = true // feeds close them
	s.guard()
	s.routes()
	s.warmUpViews()
	return s
}

// warmUpViews renders a page and discards it. Fiber's first Render builds a list without a lock, so the
// first requests would otherwise race.
func (s *Server) warmUpViews() {
	c := s.fiber.AcquireCtx(&fasthttp.RequestCtx{})
	defer s.fiber.ReleaseCtx(c)
	if err := c.Render("error", views.Error{}); err != nil {
		s.log.Error("cannot render a page", "error", err)
	}
}

// Serve accepts connections on the listener until ctx ends. Then it drains: it closes the live reads
// within DrainTimeout, waits for the other requests to finish, and returns.
func (s *Server) Serve(ctx context.Context, listener net.Listener) error {
	served := make(chan error, 1)
	go func() {
		served <- s.fiber.Listener(httpguard.Listener(s.limits.Listener(listener, s.options.TrustedProxy, s.log)))
	}()
	select {
	case err := <-served:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	s.log.Info("draining", "live_reads", s.live.Count())
	draining, cancel := context.WithTimeout(context.Background(), DrainTimeout)
	defer cancel()
	s.live.Drain(draining)
	if err := s.fiber.ShutdownWithTimeout(shutdownTimeout); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("wait for requests to finish: %w", err)
	}
	listener.Close() // ShutdownWithTimeout does not close it if Listener has not been called yet
	return <-served
}

func (s *Server) logPanic(cause any) {
	s.log.Error("panic", "cause", cause, "stack", string(debug.Stack()))
}

// logError logs an error if it is the server's fault. While Redis is full or unavailable, every append
// fails, so logError logs at most one of these errors a second. The metrics count them all.
func (s *Server) logError(refused *protocol.Error, args ...any) {
	if !refused.IsServerFault() {
		return
	}
	log := func() {
		s.log.Warn("request failed", append(args, "code", refused.Code, "error", refused.Cause)...)
	}
	if errors.Is(refused.Cause, streams.ErrFull) || errors.Is(refused.Cause, streams.ErrUnavailable) || errors.Is(refused.Cause, accounts.ErrUnavailable) {
		s.outageLogs.Do(log)
		return
	}
	log()
}
