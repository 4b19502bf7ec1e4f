package caller

import (
	"context"
	"errors"
	"strings"
	"time"

	"burble/app/accounts"
	"burble/app/identity"
	"burble/app/negotiate"
	"burble/app/peer"
	"burble/app/protocol"

	"github.com/gofiber/fiber/v2"
)

// Caller is the client that sent a request.
type Caller struct {
	User      identity.User     // zero for a visitor without a name; before Check, also for an account
	NamedAt   time.Time         // when the user got the name; for an account, when Check ran
	Session   *accounts.Session // nil if the user has no account
	Address   string            // the key of its rate limits and quotas
	Origin    string            // this server's origin, as the client addressed it
	TLS       bool              // the client is known to use TLS
	HasCookie bool              // the request has a cookie with a token that this server signed
	HasBearer bool              // the request has a bearer token, valid or not

	// UpgradedGuest is the guest of the cookie if the guest has or had an account. Such a guest may do nothing but
	// repeat the request that created the account, with the same key, because the response may have been lost.
	UpgradedGuest identity.User

	tokenExpiry time.Time // of the cookie's token
	refusal     error     // why the bearer token is refused, or nil
}

// Options configure an Identifier.
type Options struct {
	Tokens       *identity.Tokens
	Accounts     *accounts.Accounts
	TrustedProxy string // one of the constants peer.Proxy…
}

// Identifier identifies callers.
type Identifier struct{ options Options }

// New returns an Identifier.
func New(options Options) *Identifier { return &Identifier{options} }

// localsKey is the key of the Caller in a request's locals.
const localsKey = "caller"

// Of returns the caller of a request. It panics if neither Identify nor Find was called for the request.
func Of(c *fiber.Ctx) *Caller { return c.Locals(localsKey).(*Caller) }

// Identify is middleware that makes Of return the caller.
func (i *Identifier) Identify(c *fiber.Ctx) error {
	i.Find(c)
	return c.Next()
}

// Find returns the caller of a request. Unlike Of, it also works for requests that Fiber refused before Identify ran.
func (i *Identifier) Find(c *fiber.Ctx) *Caller {
	if known, ok := c.Locals(localsKey).(*Caller); ok {
		return known
	}
	header := LastHeader(c)
	tls := peer.IsTLS(header, i.options.TrustedProxy)
	found := &Caller{
		Address: peer.LimitKey(peer.Address(header, c.Context().RemoteAddr().String(), i.options.TrustedProxy)),
		Origin:  scheme(tls) + Host(c),
		TLS:     tls,
	}
	if token := c.Cookies(CookieName(tls)); token != "" {
		found.HasCookie = i.parse(token, found) == nil
	}
	if token, ok := Bearer(c.Get(fiber.HeaderAuthorization)); ok {
		found.HasBearer = true
		found.User, found.NamedAt, found.Session, found.tokenExpiry = identity.User{}, time.Time{}, nil, time.Time{}
		found.refusal = i.parse(token, found)
	}
	c.Locals(localsKey, found)
	return found
}

var errInvalidToken = protocol.Errorf(protocol.NotAllowed, "authorization", "The token is not valid. POST /session returns one.")

// parse sets the fields of the caller that a token determines.
func (i *Identifier) parse(token string, found *Caller) error {
	if accounts.IsToken(token) {
		session, err := i.options.Accounts.Verify(token)
		if err != nil {
			return errInvalidToken
		}
		found.Session, found.tokenExpiry = &session, session.Expiry
		return nil
	}
	user, expiry, err := i.options.Tokens.Verify(token, time.Now())
	if err != nil {
		return errInvalidToken
	}
	found.User, found.tokenExpiry, found.NamedAt = user, expiry, expiry.Add(-identity.TokenLifetime)
	return nil
}

// Check is middleware that refuses a request whose bearer token is invalid or belongs to a session that has ended. If the
// token is in a cookie, Check removes the cookie and continues without a user, with two exceptions. A banned person keeps
// the cookie until an error page explains the ban. A guest who now has an account keeps the cookie if the request is a
// POST, which may need Caller.UpgradedGuest.
func (i *Identifier) Check(c *fiber.Ctx) error {
	caller := Of(c)
	if caller.refusal != nil {
		return caller.refusal
	}
	err := i.check(c.UserContext(), caller)
	switch {
	case err == nil:
		return c.Next()
	case errors.Is(err, accounts.ErrUnavailable):
		return protocol.AsError(err)
	}
	guest := caller.User
	caller.User, caller.Session, caller.NamedAt = identity.User{}, nil, time.Time{}
	if caller.HasBearer {
		return refusalOf(err)
	}
	switch isPage := c.Method() == fiber.MethodGet && negotiate.PrefersHTML(c); {
	case errors.Is(err, accounts.ErrUpgraded) && c.Method() == fiber.MethodPost:
		caller.UpgradedGuest = guest
	case !errors.Is(err, accounts.ErrBanned):
		i.ClearToken(c)
	case isPage:
		i.ClearToken(c)
		return AsError(err)
	}
	return c.Next()
}

// check determines the user of a session. It returns an error if the session has ended, or if the guest is banned or has
// an account now.
func (i *Identifier) check(ctx context.Context, caller *Caller) error {
	switch {
	case caller.Session != nil:
		verdict, err := i.options.Accounts.Verdict(ctx, *caller.Session)
		if err != nil {
			return err
		}
		caller.User, caller.NamedAt = userOf(verdict), time.Now()
		_ = i.options.Accounts.RecordUse(ctx, *caller.Session) // ignore the error: only the list of sessions needs this, and the next request tries again
	case !caller.User.IsZero():
		// During an outage, a guest need not be refused, because nobody can read or write without Redis. The guest's
		// connections are checked when Redis is back.
		if err := i.options.Accounts.Guest(ctx, caller.User.ID); !errors.Is(err, accounts.ErrUnavailable) {
			return err
		}
	}
	return nil
}

// refusalOf converts an error of check to one for clients.
func refusalOf(err error) *protocol.Error {
	text := "The session has ended. Sign in again."
	switch {
	case errors.Is(err, accounts.ErrBanned):
		text = "This person is banned from this server."
	case errors.Is(err, accounts.ErrUpgraded):
		text = "This guest has an account now. Sign in."
	}
	return protocol.Errorf(protocol.NotAllowed, "authorization", "%s", text)
}

// userOf returns the user in a verdict, with the rank that follows from the role.
func userOf(verdict accounts.Verdict) identity.User {
	user := verdict.User
	user.Rank = verdict.Role.Rank()
	return user
}

// Host returns the Host header. Fiber's Hostname would accept X-Forwarded-Host from anyone.
func Host(c *fiber.Ctx) string { return string(c.Request().Header.Host()) }

func scheme(tls bool) string {
	if tls {
		return "https://"
	}
	return "http://"
}

// Bearer returns the token of an Authorization header (RFC 6750).
func Bearer(authorization string) (token string, ok bool) {
	kind, token, _ := strings.Cut(authorization, " ")
	return strings.TrimSpace(token), strings.EqualFold(kind, "bearer")
}

// LastHeader returns a function that returns the last value of a header. c.Get returns the first.
func LastHeader(c *fiber.Ctx) func(name string) string {
	return func(name string) string {
		all := c.Request().Header.PeekAll(name)
		if len(all) == 0 {
			return ""
		}
		return string(all[len(all)-1])
	}
}
