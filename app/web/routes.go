package web

import (
	"burble/views"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/compress"
)

const (
	messagesPath  = "/r/:room/messages"
	eventsPattern = "/r/*/events" // for path.Match, before the request has a route
)

// routes registers middleware and handlers in the order in which they run. Probes, metrics and
// static files come before the checks of origin, rate and token, because everyone gets the same
// response. Probes and static files also come before the check of the host, because health checks use
// any name, and so that the page that refuses a host has its style.
func (s *Server) routes() {
	s.fiber.Use(closeSpare, s.recoverPanic, s.identify, s.secure)
	s.fiber.Get("/healthz", s.getHealth)
	s.fiber.Get("/readyz", s.getReady)
	s.fiber.Get("/metrics", s.checkHost, s.checkMetricsToken, s.getMetrics())
	s.fiber.Use(s.refuseSpare)
	s.fiber.Get(views.StaticPath()+"/*", s.limitFiles, getAsset)
	s.fiber.Get("/sw.js", s.limitFiles, getServiceWorker)
	s.fiber.Use(s.checkHost, s.redirectToTLS, s.checkOrigin, s.limitAddress, s.checkToken, s.limitUnread)
	compressed := compress.New(compress.Config{Level: compress.LevelBestSpeed})
	s.fiber.Get("/", compressed, s.getHome)
	s.fiber.Get("/open", s.getOpen)
	s.fiber.Get("/ws", s.handleSocket())
	s.fiber.Post("/session", s.postSession)
	s.fiber.Get("/rooms", s.getRooms)
	s.fiber.Get("/r/:room", compressed, s.getRoom)
	s.fiber.Get(messagesPath, compressed, s.getMessages)
	s.fiber.Post(messagesPath, s.postMessage)
	s.fiber.Get("/r/:room/events", s.getEvents)
	s.fiber.Get("/r/:room/search", s.getSearch)
	s.fiber.Get("/r/:room/:id", compressed, s.getRoom)
}

// getAsset serves a static file. Browsers may cache it forever, because its path contains its
// version.
func getAsset(c *fiber.Ctx) error {
	asset, ok := views.FindAsset(c.Params("*"))
	if !ok {
		return fiber.ErrNotFound
	}
	c.Set(fiber.HeaderContentType, asset.Type)
	c.Set(fiber.HeaderCacheControl, "public, max-age=31536000, immutable")
	c.Vary(fiber.HeaderAcceptEncoding)
	if asset.Gzip != nil && c.AcceptsEncodings("gzip") != "" {
		c.Set(fiber.HeaderContentEncoding, "gzip")
		return c.Send(asset.Gzip)
	}
	return c.Send(asset.Plain)
}

// getServiceWorker handles GET /sw.js. With no-cache, browsers check for a new version each time.
func getServiceWorker(c *fiber.Ctx) error {
	c.Set(fiber.HeaderContentType, fiber.MIMETextJavaScriptCharsetUTF8)
	c.Set(fiber.HeaderCacheControl, "no-cache")
	return c.Send(views.Worker())
}
