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

// cookieName returns the name of the cookie that holds the token. Over TLS, the __Host- prefix makes
// browsers accept the cookie only from this host. Otherwise another host in the same domain could
// set its own token (RFC 6265bis, section 4.1.3.2).
func cookieName(tls bool) string {
	if tls {
		return "__Host-burble"
	}
	return "burble"
}

// caller is the client that makes a request.
type caller struct {
	user         identity.User // zero if it has not chosen a name
	namedAt      time.Time     // when the token was signed
	address      string        // the key of its rate limits and quotas
	origin       string        // this server's origin, as the client addressed it
	tls          bool          // the client is known to use TLS
	hasCookie    bool          // there is a cookie with a valid token
	needsRenewal bool          // the cookie's token is due for renewal
	hasBearer    bool          // there is a bearer token, valid or not
	invalidToken error         // why the bearer token is refused; nil if it is valid or absent
}

// identify is middleware that identifies the caller. Handlers get the result from callerOf.
func (s *Server) identify(c *fiber.Ctx) error {
	s.findCaller(c)
	return c.Next()
}

// callerOf returns the caller of a request. If Fiber refused the request before identify ran,
// callerOf identifies the caller.
func (s *Server) callerOf(c *fiber.Ctx) *caller {
	if known, ok := c.Locals(callerKey).(*caller); ok {
		return known
	}
	return s.findCaller(c)
}

// findCaller identifies the caller. An invalid cookie is ignored, but an invalid bearer token is an
// error that checkToken reports.
func (s *Server) findCaller(c *fiber.Ctx) *caller {
	header := lastHeader(c)
	tls := peer.IsTLS(header, s.options.TrustedProxy)
	found := &caller{
		address: peer.LimitKey(peer.Address(header, c.Context().RemoteAddr().String(), s.options.TrustedProxy)),
		origin:  scheme(tls) + host(c),
		tls:     tls,
	}
	now := time.Now()
	if token := c.Cookies(cookieName(tls)); token != "" {
		if user, expiry, err := s.tokens.Verify(token, now); err == nil {
			found.hasCookie, found.user, found.namedAt = true, user, expiry.Add(-identity.TokenLife)
			found.needsRenewal = expiry.Sub(now) < identity.TokenLife-identity.TokenFresh
		}
	}
	if token, ok := bearer(c.Get(fiber.HeaderAuthorization)); ok {
		found.hasBearer = true
		found.user, found.namedAt, found.needsRenewal = identity.User{}, time.Time{}, false
		if user, expiry, err := s.tokens.Verify(token, now); err == nil {
			found.user, found.namedAt = user, expiry.Add(-identity.TokenLife)
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

// bearer returns the token of an Authorization header (RFC 6750).
func bearer(authorization string) (token string, ok bool) {
	kind, token, _ := strings.Cut(authorization, " ")
	return strings.TrimSpace(token), strings.EqualFold(kind, "bearer")
}

// lastHeader returns a function that returns the last value of a header. c.Get returns the first.
func lastHeader(c *fiber.Ctx) func(name string) string {
	return func(name string) string {
		all := c.Request().Header.PeekAll(name)
		if len(all) == 0 {
			return ""
		}
		return string(all[len(all)-1])
	}
}
