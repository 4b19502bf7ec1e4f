package web

import (
	"burble/app/accounts/passkeys"
	"burble/app/caller"
	"burble/app/files"
	"burble/app/manage"
	"burble/app/negotiate"
	"burble/app/pages"
	"burble/app/people"
	"burble/app/signin"
	"burble/app/uploads"

	"github.com/gofiber/fiber/v2"
)

const (
	eventsPattern = "/r/*/events" // for path.Match, because middleware runs before the route is known
	framesPattern = "/r/*/frames"
	auditPath     = "/audit/events"
)

// routes registers middleware and handlers in the order in which they run. Probes, metrics and
// static files come before the origin, rate and token checks, because everyone gets the same
// response. Probes and static files also come before the host check, because health checks may use any
// host, and the page that refuses a host needs its style sheet.
func (s *Server) routes() {
	s.fiber.Use(closeSpare, s.recoverPanic, s.callers.Identify, s.secure)
	s.fiber.Get("/healthz", s.getHealth)
	s.fiber.Get("/readyz", s.getReady)
	s.fiber.Get("/metrics", s.checkHost, s.checkMetricsToken, s.getMetrics())
	s.fiber.Use(s.refuseSpare)
	files.Register(s.fiber, files.Options{
		Contact: s.options.SecurityContact, Limit: s.limitFiles,
		Origin: func(c *fiber.Ctx) string { return caller.Of(c).Origin },
	})
	s.fiber.Use(s.checkHost, s.redirectToTLS, s.checkOrigin, s.limitAddress, s.callers.Check, s.limitUnread)
	s.fiber.Get("/ws", s.handleSocket())
	manage.Register(s.fiber, manage.Options{
		Chat: s.chat, NewPage: s.pages.NewPage, Render: s.pages.Render,
		Charge: func(address string, items int) { s.limits.Charge(address, items) },
	})
	s.fiber.Get("/rooms", negotiate.Response, s.getRooms)
	s.fiber.Get(pages.MessagesPath, negotiate.Response, s.getMessages)
	s.fiber.Post(pages.MessagesPath, s.postMessage)
	if s.options.Previews != nil {
		s.options.Previews.Register(s.fiber, s.limits.AllowPreview)
	}
	if s.options.Files != nil {
		uploads.Register(s.fiber, uploads.Options{Chat: s.chat, Files: s.options.Files, Callers: s.callers})
	}
	s.fiber.Get("/r/:room/frames", s.getFrames)
	s.fiber.Post("/r/:room/frames", s.postFrame)
	s.fiber.Get("/r/:room/events", s.getEvents)
	s.fiber.Get("/r/:room/search", s.getSearch)
	s.pages.Register(s.fiber)
	s.fiber.Get(auditPath, s.getAudit)
	s.registerPeople()
}

// registerPeople adds the routes of packages signin and people.
func (s *Server) registerPeople() {
	o := s.options
	keys := passkeys.New(o.Accounts, s.log)
	signin.Register(s.fiber, signin.Options{
		Log: s.log, Accounts: o.Accounts, Passkeys: keys, Provider: o.Provider, ProviderName: o.ProviderName, Chat: s.chat,
		Callers: s.callers, Mode: o.Mode, Origins: o.Origins, Allow: s.limits.AllowSignIn, NewPage: s.pages.NewPage,
	})
	people.Register(s.fiber, people.Options{
		Log: s.log, Accounts: o.Accounts, Passkeys: keys, Chat: s.chat, Callers: s.callers, Origins: o.Origins, Allow: s.limits.AllowSignIn, NewPage: s.pages.NewPage,
	})
}
