package web

import (
	"strings"
	"time"

	"burble/app/identity"
	"burble/app/peer"
	"burble/app/protocol"

	"github.com/gofiber/fiber/v2"
)

// callerKey is the key of the caller in a request's locals.
const callerKey = "caller"

// cookieName returns the name of the cookie with the token. With TLS its prefix makes browsers
// accept it from this host only; otherwise another host of the same domain could give a user its
// own token (RFC 6265bis, section 4.1.3.2).
func cookieName(tls bool) string {
	if tls {
		return "__Host-burble"
	}
	return "burble"
}

// caller is the client that makes a request.
type caller struct {
	user         identity.User // zero: has not chosen a name
	address      string        // the key of its limits
	origin       string        // of this server, as the client addressed it
	tls          bool          // the browser is known to use TLS
	hasCookie    bool          // with a valid token
	isOld        bool          // the cookie's token is due for renewal
	hasBearer    bool          // there is a bearer token, valid or not
	invalidToken error         // why the bearer token is refused; an invalid cookie is ignored
}

// identify is the middleware that identifies the caller, for every surface.
func (s *Server) identify(c *fiber.Ctx) error {
	s.findCaller(c)
	return c.Next()
}

// callerOf returns the caller. It identifies the caller of a request that Fiber refuses before any
// middleware runs.
func (s *Server) callerOf(c *fiber.Ctx) *caller {
	if known, ok := c.Locals(callerKey).(*caller); ok {
		return known
	}
	return s.findCaller(c)
}

func (s *Server) findCaller(c *fiber.Ctx) *caller {
	header := lastHeader(c)
	tls := peer.IsTLS(header, s.options.TrustedProxy)
	found := &caller{
		address: peer.Group(peer.Address(header, c.Context().RemoteAddr().String(), s.options.TrustedProxy)),
		origin:  scheme(tls) + host(c),
		tls:     tls,
	}
	now := time.Now()
	if token := c.Cookies(cookieName(tls)); token != "" {
		if user, expiry, err := s.tokens.Verify(token, now); err == nil {
			found.hasCookie, found.user = true, user
			found.isOld = expiry.Sub(now) < identity.TokenLife-identity.TokenFresh
		}
	}
	if token, ok := bearer(c.Get(fiber.HeaderAuthorization)); ok {
		found.hasBearer = true
		found.user, found.isOld = identity.User{}, false
		if user, _, err := s.tokens.Verify(token, now); err == nil {
			found.user = user
		} else {
			found.invalidToken = protocol.Errorf(protocol.NotAllowed, "authorization", "The token is not valid. POST /session returns one.")
		}
	}
	c.Locals(callerKey, found)
	return found
}

// host returns the Host header. (Fiber's Hostname accepts X-Forwarded-Host from anyone.)
func host(c *fiber.Ctx) string { return string(c.Request().Header.Host()) }

func scheme(tls bool) string {
	if tls {
		return "https://"
	}
	return "http://"
}

// bearer returns the token of an Authorization header, RFC 6750.
func bearer(authorization string) (token string, ok bool) {
	kind, token, _ := strings.Cut(authorization, " ")
	return strings.TrimSpace(token), strings.EqualFold(kind, "bearer")
}

// lastHeader returns a function that returns the last of a repeated header. (c.Get returns the first.)
func lastHeader(c *fiber.Ctx) func(name string) string {
	return func(name string) string {
		all := c.Request().Header.PeekAll(name)
		if len(all) == 0 {
			return ""
		}
		return string(all[len(all)-1])
	}
}
