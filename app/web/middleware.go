package web

import (
	"fmt"
	"net/http"
	"strings"

	"burble/app/caller"
	"burble/app/peer"
	"burble/app/protocol"

	"github.com/gofiber/fiber/v2"
)

// recoverPanic is middleware that logs a panic and responds with status 500.
func (s *Server) recoverPanic(c *fiber.Ctx) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			s.logPanic(cause)
			err = fiber.ErrInternalServerError
		}
	}()
	return c.Next()
}

// policy is the Content-Security-Policy. A page may load files only from this server, and only the
// module that renders messages may create HTML (Trusted Types). The first %s is for the files of messages, the second is
// the origin of WebSockets.
const policy = "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:%s; " +
	"connect-src 'self'%s; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; " +
	"require-trusted-types-for 'script'; trusted-types burble"

// secure is middleware that sets the security headers.
func (s *Server) secure(c *fiber.Ctx) error {
	s.setSecurityHeaders(c)
	return c.Next()
}

func (s *Server) setSecurityHeaders(c *fiber.Ctx) {
	from := s.callers.Find(c)
	// In Safari before 15.4, 'self' does not include WebSockets on the same host.
	socket := " ws" + strings.TrimPrefix(from.Origin, "http")
	if strings.ContainsAny(socket[1:], " ;,") {
		socket = ""
	}
	c.Set(fiber.HeaderContentSecurityPolicy, fmt.Sprintf(policy, s.fileSources(), socket))
	c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	c.Set(fiber.HeaderReferrerPolicy, "same-origin")
	c.Set(fiber.HeaderPermissionsPolicy, "camera=(), microphone=(), geolocation=(), payment=()")
	c.Set("Cross-Origin-Opener-Policy", "same-origin")
	c.Set("Cross-Origin-Resource-Policy", "same-origin")
	if from.TLS {
		c.Set(fiber.HeaderStrictTransportSecurity, "max-age=31536000")
	}
}

// fileSources returns the sources from which pages may load the pictures, videos and sounds of messages: this server, the
// page itself (before it has sent a file), and the store. The result completes img-src, and adds media-src.
func (s *Server) fileSources() string {
	if s.options.Files == nil {
		return ""
	}
	sources := " blob:"
	if origin := s.options.Files.Origin(); origin != "" {
		sources += " " + origin
	}
	return sources + "; media-src 'self'" + sources
}

// checkOrigin is middleware that refuses requests from another site's page. A request that changes
// nothing needs no Origin, because such a page cannot read the response.
func (s *Server) checkOrigin(c *fiber.Ctx) error {
	from := caller.Of(c)
	origin := c.Get(fiber.HeaderOrigin)
	changes := c.Method() != http.MethodGet && c.Method() != http.MethodHead || c.Path() == "/ws"
	if origin == "" && !changes {
		return c.Next()
	}
	// The forms of a page with the Referrer-Policy no-referrer send the origin "null".
	if origin == "null" && c.Get("Sec-Fetch-Site") == "same-origin" {
		return c.Next()
	}
	allowed := peer.IsOriginAllowed(origin, caller.Host(c), from.TLS, s.options.Origins, from.HasCookie, from.HasBearer)
	switch {
	case !allowed && origin == "":
		return protocol.Errorf(protocol.NotAllowed, "origin", "A request with a cookie needs an Origin header. Programs should send a token instead, as Authorization: Bearer.")
	case !allowed, origin == "" && isCrossSite(c.Get("Sec-Fetch-Site")):
		return s.refuseOrigin(c, origin)
	}
	return c.Next()
}

// refuseOrigin returns the error for a request from a page with the given origin. Behind a proxy that
// changes Host, as nginx does by default, the server's own pages do not have the expected origin. The
// error and the log then explain what to configure. Only the browser knows whose page sent the request,
// and it does not send Sec-Fetch-Site over plain HTTP.
func (s *Server) refuseOrigin(c *fiber.Ctx, origin string) error {
	refused := &protocol.Error{
		Code: protocol.NotAllowed, Field: "origin", Message: "This server does not accept requests from that origin.",
		Title: "This request came from another site", Detail: "Nothing was changed.",
	}
	page, ok := peer.CanonicalOrigin(origin)
	site := c.Get("Sec-Fetch-Site")
	if !ok || isCrossSite(site) {
		return refused
	}
	remedy := "make the proxy pass Host on unchanged (nginx: proxy_set_header Host $http_host;), or set ORIGINS=" + page
	s.originLogs.Do(func() {
		s.log.Warn("request refused because of its Origin: if that is the address of this chat, a proxy changes Host; "+
			"make the proxy pass Host on unchanged, or add the origin to ORIGINS", "origin", page, "host", caller.Host(c))
	})
	if site == "same-origin" {
		refused.Message = "A proxy changes the Host header. Its administrator must " + remedy + "."
		refused.Title = "A proxy in front of this server changes the Host header"
		refused.Detail = "Nothing was changed. The administrator must " + remedy + "."
		return refused
	}
	refused.Message += " If it is the address of this server, a proxy changes the Host header: " + remedy + "."
	refused.Detail += " If you came from a page of this chat, a proxy changes the Host header, and the administrator must " + remedy + "."
	return refused
}

// isCrossSite reports whether Sec-Fetch-Site names another site. A browser's request still has this
// header if a proxy has removed its Origin. Programs do not send it.
func isCrossSite(site string) bool { return site == "cross-site" || site == "same-site" }
