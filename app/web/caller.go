package web

import (
	"strings"
	"time"

	"burble/app/identity"
	"burble/app/peer"
	"burble/app/protocol"

	"github.com/gofiber/fiber/v2"
)

// callerKey is where the caller is among a request's locals.
const callerKey = "caller"

// cookieName names the cookie with the token. Over TLS its prefix makes browsers accept it from
// this host alone: otherwise another host of the same domain could hand its own token to a user
// (RFC 6265bis, section 4.1.3.2).
func cookieName(tls bool) string {
	if tls {
		return "__Host-burble"
	}
	return "burble"
}

// caller is who makes a request.
type caller struct {
	user         identity.User // zero: has not chosen a name
	address      string        // to limit by
	origin       string        // of this server, as the caller addressed it
	tls          bool          // the browser is known to speak TLS
	hasCookie    bool          // with a valid token
	isOld        bool          // the cookie's token is due for renewal
	hasBearer    bool          // sends a token
	invalidToken error         // the bearer token is not valid; an invalid cookie counts as none
}

// identify is the middleware that finds out who makes a request, for every surface.
func (s *Server) identify(c *fiber.Ctx) error {
	s.findCaller(c)
	return c.Next()
}

// callerOf returns who makes the request. A request that Fiber refuses before any middleware
// is identified here.
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

// host returns the Host header. Fiber's Hostname would accept X-Forwarded-Host from anyone.
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

// lastHeader returns a function that reads a request's headers. Of a repeated header it returns
// the last, where c.Get returns the first.
func lastHeader(c *fiber.Ctx) func(name string) string {
	return func(name string) string {
		all := c.Request().Header.PeekAll(name)
		if len(all) == 0 {
			return ""
		}
		return string(all[len(all)-1])
	}
}
