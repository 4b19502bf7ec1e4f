package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"burble/app/protocol"
	"burble/streams"
	"burble/views"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/compress"
)

const messagesPath = "/r/:room/messages"

// routes are the request path, from the outside in.
func (a *App) routes() {
	a.fiber.Use(a.caught, a.secure)
	a.fiber.Get("/healthz", a.healthz)
	a.fiber.Get("/readyz", a.readyz)
	a.fiber.Get("/metrics", a.metrics.handler())
	a.fiber.Get(views.StaticPath()+"/*", static)
	a.fiber.Get("/sw.js", a.worker)
	a.fiber.Use(a.checkOrigin, a.limitAddress, a.checkToken, a.limitUnread)
	zipped := compress.New(compress.Config{Level: compress.LevelBestSpeed})
	a.fiber.Get("/", zipped, a.home)
	a.fiber.Get("/open", a.open)
	a.fiber.Get("/ws", a.openSocket())
	a.fiber.Post("/session", a.session)
	a.fiber.Get("/rooms", a.rooms)
	a.fiber.Get("/r/:room", zipped, a.room)
	a.fiber.Get(messagesPath, zipped, a.messages)
	a.fiber.Post(messagesPath, a.post)
	a.fiber.Get("/r/:room/events", a.events)
	a.fiber.Get("/r/:room/search", a.search)
	a.fiber.Get("/r/:room/:id", zipped, a.room)
}

// policy lets a page load nothing but what this server embeds. Trusted Types
// keep the script from making HTML anywhere but in one place, render.js.
const policy = "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
	"connect-src 'self'%s; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; " +
	"require-trusted-types-for 'script'; trusted-types burble"

// secure sets the headers that keep a browser from being turned against its user.
func (a *App) secure(c *fiber.Ctx) error {
	a.setHeaders(c)
	return c.Next()
}

func (a *App) setHeaders(c *fiber.Ctx) {
	caller := a.caller(c)
	// Safari before 15.4 does not take 'self' for WebSockets of the same host.
	socket := " ws" + strings.TrimPrefix(caller.origin, "http")
	if strings.ContainsAny(socket[1:], " ;,") {
		socket = ""
	}
	c.Set(fiber.HeaderContentSecurityPolicy, fmt.Sprintf(policy, socket))
	c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	c.Set(fiber.HeaderReferrerPolicy, "same-origin")
	c.Set(fiber.HeaderPermissionsPolicy, "camera=(), microphone=(), geolocation=(), payment=()")
	c.Set("Cross-Origin-Opener-Policy", "same-origin")
	c.Set("Cross-Origin-Resource-Policy", "same-origin")
	if caller.tls {
		c.Set(fiber.HeaderStrictTransportSecurity, "max-age=31536000")
	}
}

// static serves what a browser may keep for ever: the version is in the path.
func static(c *fiber.Ctx) error {
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

// worker is GET /sw.js, the service worker: a browser asks whether it is another.
func (a *App) worker(c *fiber.Ctx) error {
	c.Set(fiber.HeaderContentType, fiber.MIMETextJavaScriptCharsetUTF8)
	c.Set(fiber.HeaderCacheControl, "no-cache")
	return c.Send(views.Worker())
}

// caught keeps a panic from the client and the process.
func (a *App) caught(c *fiber.Ctx) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			a.logPanic(cause)
			err = fiber.ErrInternalServerError
		}
	}()
	return c.Next()
}

// tell answers a request with its error: a page for a browser, else JSON.
func (a *App) tell(c *fiber.Ctx, err error) error {
	told := asError(err)
	if told.Cause == nil && told.HTTPStatus() >= 500 && !errors.Is(err, told) {
		told.Cause = err
	}
	a.logAccident(told, "method", c.Method(), "path", c.Path())
	a.setHeaders(c) // what Fiber refuses by itself has not come by secure
	c.Status(told.HTTPStatus())
	if told.RetryAfter > 0 {
		c.Set(fiber.HeaderRetryAfter, strconv.Itoa(told.RetrySeconds()))
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
	if !wantsHTML(c) {
		return c.JSON(told.Body())
	}
	uncertain := told.Code == protocol.Unavailable // Whether it was stored: it must be sent as it was.
	if c.Method() == http.MethodPost && !uncertain && a.backToForm(c, told) == nil {
		return nil
	}
	title, detail := told.Page()
	page := views.Error{Page: a.page(c, title), Detail: detail, Again: c.Method() == http.MethodGet && told.IsTemporary()}
	if c.Route().Path == messagesPath {
		page.Room, page.Unsent = c.Params("room"), typed(c, "text")
		page.Key, _ = c.Locals(formKey).(string)
	}
	return c.Render("error", page)
}

// formKey is where, among the request's locals, the key of a message from a form is.
const formKey = "form key"

// backToForm shows the page that a refused form came from, with what was typed.
// Only for what its handler refused: the limits are not there to be answered with
// a page of history.
func (a *App) backToForm(c *fiber.Ctx, told *protocol.Error) error {
	page := a.page(c, "")
	newest := streams.Where{Limit: pageOf}
	switch c.Route().Path {
	case messagesPath:
		return a.renderRoom(c, c.Params("room"), newest, views.Room{Page: page, Notice: told.Notice(), Draft: typed(c, "text")})
	case "/session":
		page.Name = typed(c, "name")
		if room := roomOf(localPath(typed(c, "next"))); room != "" {
			return a.renderRoom(c, room, newest, views.Room{Page: page, Notice: told.Notice()})
		}
		return a.renderHome(c, views.Home{Page: page, Error: told.Notice()})
	}
	return fiber.ErrNotFound
}

// typed is what a field of a form had, to be given back. (FormValue would unpack
// whatever it is given.)
func typed(c *fiber.Ctx, field string) string {
	return valid(string(c.Request().PostArgs().Peek(field)))
}

// valid is a text as a page can hold it.
func valid(text string) string { return strings.ToValidUTF8(text, "\ufffd") }

// roomOf is the room that a local path leads to; empty when it leads to none.
func roomOf(path string) string {
	target, err := url.Parse(path)
	if err != nil {
		return ""
	}
	name, ok := strings.CutPrefix(target.Path, "/r/")
	if !ok {
		return ""
	}
	name, _, _ = strings.Cut(name, "/")
	room, err := protocol.CheckRoom(name)
	if err != nil {
		return ""
	}
	return room
}
