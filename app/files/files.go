// Package files serves the files that are the same for everyone: static files, the service worker, and
// the files that browsers and robots request by fixed names.
//
//	files.Register(app, files.Options{Contact: "mailto:security@example.org", Limit: limit, Origin: origin})
package files

import (
	"fmt"
	"time"

	"burble/app/negotiate"
	"burble/views"

	"github.com/gofiber/fiber/v2"
)

// Options configure the files.
type Options struct {
	Contact string                  // the URL at which to report vulnerabilities; empty for the home page
	Limit   fiber.Handler           // runs before each file is served
	Origin  func(*fiber.Ctx) string // this server's origin, as the client addressed it
}

// Register adds the routes of all files.
func Register(router fiber.Router, options Options) {
	router.Get(views.StaticPath()+"/*", options.Limit, getAsset)
	router.Get("/sw.js", options.Limit, getServiceWorker)
	router.Get("/favicon.ico", options.Limit, getIcon)
	router.Get("/robots.txt", options.Limit, getRobots)
	router.Get("/.well-known/security.txt", options.Limit, func(c *fiber.Ctx) error {
		return sendText(c, securityText(options.Contact, options.Origin(c), time.Now()))
	})
}

// getAsset serves a static file. Browsers may cache it forever, because its path contains its
// version.
func getAsset(c *fiber.Ctx) error {
	asset, ok := views.FindAsset(c.Params("*"))
	if !ok {
		return fiber.ErrNotFound
	}
	return send(c, asset, "public, max-age=31536000, immutable")
}

// getServiceWorker handles GET /sw.js. With no-cache, browsers check for a new version each time.
func getServiceWorker(c *fiber.Ctx) error { return send(c, views.Worker(), "no-cache") }

// getIcon handles GET /favicon.ico, which browsers and other programs request without reading a page.
func getIcon(c *fiber.Ctx) error { return send(c, views.Icon(), "public, max-age=86400") }

func send(c *fiber.Ctx, asset views.Asset, caching string) error {
	c.Set(fiber.HeaderCacheControl, caching)
	c.Vary(fiber.HeaderAcceptEncoding)
	if negotiate.IsUnchanged(c, asset.Hash) {
		return nil
	}
	c.Set(fiber.HeaderContentType, asset.Type)
	if asset.Gzip != nil && negotiate.Accepts(c, "gzip") {
		c.Set(fiber.HeaderContentEncoding, "gzip")
		return c.Send(asset.Gzip)
	}
	return c.Send(asset.Plain)
}

// robots allows robots to read only pages. The pages of rooms themselves forbid indexing, but a robot
// must read them to preview links.
const robots = `User-agent: *
Disallow: /metrics
Disallow: /open
Disallow: /rooms
Disallow: /ws
Disallow: /r/*/events
Disallow: /r/*/members
Disallow: /r/*/messages
Disallow: /r/*/search
`

func getRobots(c *fiber.Ctx) error { return sendText(c, robots) }

func sendText(c *fiber.Ctx, text string) error {
	c.Set(fiber.HeaderCacheControl, "public, max-age=86400")
	return c.SendString(text)
}

// securityText returns the security.txt of RFC 9116. It must expire, preferably within a year.
func securityText(contact, origin string, now time.Time) string {
	if contact == "" {
		contact = origin + "/"
	}
	expires := now.UTC().AddDate(0, 6, 0).Format("2006-01-02T00:00:00Z")
	return fmt.Sprintf("Contact: %s\nExpires: %s\nPreferred-Languages: en\nCanonical: %s/.well-known/security.txt\n", contact, expires, origin)
}
