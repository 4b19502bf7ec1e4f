package main

import (
	"burble/app/identity"
	"burble/app/protocol"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
)

const callerKey = "caller"

// cookieName names the session's cookie. Behind TLS a prefix has browsers take it from
// this host alone: another one of the same domain could give its own guest to a user
// otherwise (RFC 6265bis, section 4.1.3.2).
func cookieName(tls bool) string {
	if tls {
		return "__Host-burble"
	}
	return "burble"
}

// caller is who makes a request, found out in one place for every surface.
type caller struct {
	user    identity.User // zero: nobody has given a name
	address string        // to count by
	origin  string        // of this server, as the caller addressed it
	tls     bool          // the browser is known to speak TLS
	cookie  bool          // it carries a session cookie that is good
	old     bool          // which is to be renewed
	bearer  bool          // it carries a token
	err     error         // the token is no good; a bad cookie is as none
}

// caller finds out who makes the request.
func (a *App) caller(c *fiber.Ctx) *caller {
	if known, ok := c.Locals(callerKey).(*caller); ok {
		return known
	}
	header := lastHeader(c)
	tls := behindTLS(header, a.config.TrustedProxy)
	found := &caller{
		address: addressGroup(clientAddress(header, c.Context().RemoteAddr().String(), a.config.TrustedProxy)),
		origin:  scheme(tls) + host(c),
		tls:     tls,
	}
	now := time.Now()
	if token := c.Cookies(cookieName(tls)); token != "" {
		if user, expiry, err := a.tokens.Verify(token, now); err == nil {
			found.cookie, found.user = true, user
			found.old = expiry.Sub(now) < identity.TokenLife-identity.TokenFresh
		}
	}
	if token, ok := bearer(c.Get(fiber.HeaderAuthorization)); ok {
		found.bearer = true
		found.user, found.old = identity.User{}, false
		if user, _, err := a.tokens.Verify(token, now); err == nil {
			found.user = user
		} else {
			found.err = protocol.Errorf(protocol.NotAllowed, "authorization", "The token is not valid. POST /session gives one.")
		}
	}
	c.Locals(callerKey, found)
	return found
}

// host is the Host header. Fiber's Hostname would believe X-Forwarded-Host from anyone.
func host(c *fiber.Ctx) string { return string(c.Request().Header.Host()) }

func scheme(tls bool) string {
	if tls {
		return "https://"
	}
	return "http://"
}

func bearer(authorization string) (token string, ok bool) {
	kind, token, _ := strings.Cut(authorization, " ")
	return strings.TrimSpace(token), strings.EqualFold(kind, "bearer")
}

// checkOrigin refuses what another site's page asks in a user's name. Where nothing
// changes, a page that does not say whose it is cannot read the answer either.
func (a *App) checkOrigin(c *fiber.Ctx) error {
	caller := a.caller(c)
	origin := c.Get(fiber.HeaderOrigin)
	changes := c.Method() != http.MethodGet && c.Method() != http.MethodHead || c.Path() == "/ws"
	if origin == "" && !changes {
		return c.Next()
	}
	allowed := originAllowed(origin, host(c), caller.tls, a.config.Origins, caller.cookie, caller.bearer)
	switch {
	case !allowed && origin == "":
		return protocol.Errorf(protocol.NotAllowed, "origin", "A request with a cookie needs an Origin header. Programs use a token instead: Authorization: Bearer.")
	case !allowed, origin == "" && fromElsewhere(c.Get("Sec-Fetch-Site")):
		return &protocol.Error{
			Code: protocol.NotAllowed, Field: "origin", Message: "This server does not accept requests from that origin.",
			Title: "Another site asked for this", Detail: "Nothing was changed.",
		}
	}
	return c.Next()
}

// fromElsewhere says what a browser's Sec-Fetch-Site says, should something on the way
// have taken Origin off. Programs do not send it.
func fromElsewhere(site string) bool { return site == "cross-site" || site == "same-site" }

// checkToken refuses a token that is no good, whatever is asked with it.
func (a *App) checkToken(c *fiber.Ctx) error {
	if err := a.caller(c).err; err != nil {
		return err
	}
	return c.Next()
}

// limitAddress counts requests by address, and new live reads apart from them.
func (a *App) limitAddress(c *fiber.Ctx) error {
	rates, what := a.limits.address, "requests"
	if live, _ := path.Match("/r/*/events", c.Path()); live || c.Path() == "/ws" {
		rates, what = a.limits.connections, "connections"
	}
	if ok, after := rates.Allow(a.caller(c).address, 1, time.Now()); !ok {
		return protocol.TooMany(what, after)
	}
	return c.Next()
}

// limitEntries counts a page of history by what it may cost: limitAddress has counted the
// first 50 entries of it.
func (a *App) limitEntries(c *fiber.Ctx, entries int) error {
	more := (entries - 1) / pageOf
	if ok, after := a.limits.address.Allow(a.caller(c).address, more, time.Now()); !ok {
		return protocol.TooMany("entries", after)
	}
	return nil
}

// allowMessage says whether the guest may append now.
func (a *App) allowMessage(user identity.User, now time.Time) error {
	if user.IsZero() {
		return protocol.NoName()
	}
	if ok, after := a.limits.messages.Allow(user.ID, 1, now); !ok {
		return protocol.TooMany("messages", after)
	}
	return nil
}

// allowSignal says whether the guest may say that they type or have read.
func (a *App) allowSignal(user identity.User, now time.Time) error {
	if user.IsZero() {
		return protocol.NoName()
	}
	if ok, after := a.limits.signals.Allow(user.ID, 1, now); !ok {
		return protocol.TooMany("signals", after)
	}
	return nil
}

// session is POST /session: it makes a guest, or renames the one there is.
func (a *App) session(c *fiber.Ctx) error {
	caller := a.caller(c)
	if err := onlyQueries(c); err != nil {
		return err
	}
	asked, err := bodyOf(c, "name", "next")
	if err != nil {
		return err
	}
	user, err := identity.NewUser(asked.fields["name"])
	if err != nil {
		return protocol.Errorf(protocol.BadField, "name", "%s", sentence(err))
	}
	if !caller.user.IsZero() {
		user.ID = caller.user.ID
	}
	token := a.giveToken(c, user)
	if asked.form {
		return c.Redirect(localPath(asked.fields["next"]), http.StatusSeeOther)
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
	return c.JSON(fiber.Map{"user": fiber.Map{"id": user.ID, "name": user.Name}, "token": token})
}

// giveToken makes a token for the guest, and has the browser keep it as its cookie.
func (a *App) giveToken(c *fiber.Ctx, user identity.User) (token string) {
	tls := a.caller(c).tls
	token = a.tokens.Sign(user, time.Now())
	c.Cookie(&fiber.Cookie{
		Name: cookieName(tls), Value: token, Path: "/", MaxAge: int(identity.TokenLife.Seconds()),
		HTTPOnly: true, SameSite: fiber.CookieSameSiteLaxMode, Secure: tls,
	})
	return token
}

// localPath keeps a redirect on this server.
func localPath(next string) string {
	target, err := url.Parse(next)
	if err != nil || target.Host != "" || target.Scheme != "" || !strings.HasPrefix(next, "/") ||
		strings.HasPrefix(next, "//") || strings.ContainsAny(next, "\\\r\n\t") {
		return "/"
	}
	return next
}

// sentence makes of an error's text one for people.
func sentence(err error) string {
	text := err.Error()
	return strings.ToUpper(text[:1]) + strings.TrimSuffix(text[1:], ".") + "."
}
