package web

import (
	"fmt"
	"net/http"
	"path"
	"strings"
	"time"

	"burble/app/peer"
	"burble/app/protocol"

	"github.com/gofiber/fiber/v2"
)

// recoverPanic keeps a panic from the client and the process.
func (s *Server) recoverPanic(c *fiber.Ctx) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			s.logPanic(cause)
			err = fiber.ErrInternalServerError
		}
	}()
	return c.Next()
}

// policy lets a page load nothing but what this server embeds. Trusted Types keep scripts from
// making HTML anywhere but in one place, the module that renders messages.
const policy = "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
	"connect-src 'self'%s; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; " +
	"require-trusted-types-for 'script'; trusted-types burble"

// secure sets the headers that keep a browser from being turned against its user.
func (s *Server) secure(c *fiber.Ctx) error {
	s.setSecurityHeaders(c)
	return c.Next()
}

func (s *Server) setSecurityHeaders(c *fiber.Ctx) {
	caller := s.callerOf(c)
	// Safari before 15.4 does not take 'self' to include WebSockets of the same host.
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

// checkOrigin refuses requests that another site's page makes in a user's name. A request that
// changes nothing needs no Origin: the other page cannot read the response.
func (s *Server) checkOrigin(c *fiber.Ctx) error {
	caller := s.callerOf(c)
	origin := c.Get(fiber.HeaderOrigin)
	changes := c.Method() != http.MethodGet && c.Method() != http.MethodHead || c.Path() == "/ws"
	if origin == "" && !changes {
		return c.Next()
	}
	allowed := peer.IsOriginAllowed(origin, host(c), caller.tls, s.options.Origins, caller.hasCookie, caller.hasBearer)
	switch {
	case !allowed && origin == "":
		return protocol.Errorf(protocol.NotAllowed, "origin", "A request with a cookie needs an Origin header. Programs use a token instead: Authorization: Bearer.")
	case !allowed, origin == "" && isCrossSite(c.Get("Sec-Fetch-Site")):
		return &protocol.Error{
			Code: protocol.NotAllowed, Field: "origin", Message: "This server does not accept requests from that origin.",
			Title: "Another site asked for this", Detail: "Nothing was changed.",
		}
	}
	return c.Next()
}

// isCrossSite reads Sec-Fetch-Site, in case something on the way removed Origin. Programs do not
// send it.
func isCrossSite(site string) bool { return site == "cross-site" || site == "same-site" }

// checkToken refuses an invalid bearer token, whatever the request.
func (s *Server) checkToken(c *fiber.Ctx) error {
	if err := s.callerOf(c).invalidToken; err != nil {
		return err
	}
	return c.Next()
}

// limitAddress limits the requests of each address, and new live reads apart from them.
func (s *Server) limitAddress(c *fiber.Ctx) error {
	rates, what := s.limits.requests, "requests"
	if isLive, _ := path.Match("/r/*/events", c.Path()); isLive || c.Path() == "/ws" {
		rates, what = s.limits.connections, "connections"
	}
	if ok, after := rates.Allow(s.callerOf(c).address, 1, time.Now()); !ok {
		return protocol.TooMany(what, after)
	}
	return c.Next()
}

// limitEntries charges a page of history for its size. limitAddress has charged for the first
// pageSize entries.
func (s *Server) limitEntries(c *fiber.Ctx, entries int) error {
	more := (entries - 1) / pageSize
	if ok, after := s.limits.requests.Allow(s.callerOf(c).address, more, time.Now()); !ok {
		return protocol.TooMany("entries", after)
	}
	return nil
}
