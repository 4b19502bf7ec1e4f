package caller

import (
	"context"
	"time"

	"burble/app/accounts"
	"burble/app/identity"

	"github.com/gofiber/fiber/v2"
)

// CookieName returns the name of the cookie that holds the token. Over TLS, the __Host- prefix makes
// browsers accept the cookie only from this host. Otherwise another host in the same domain could
// set its own token (RFC 6265bis, section 4.1.3.2).
func CookieName(tls bool) string {
	if tls {
		return "__Host-burble"
	}
	return "burble"
}

// SignGuest signs a token for the guest and sets it as the browser's cookie.
func (i *Identifier) SignGuest(c *fiber.Ctx, guest identity.User) (token string) {
	signedAt := time.Now()
	if after := Of(c).NamedAt.Add(time.Second); signedAt.Before(after) {
		signedAt = after // the newest token determines the name, and tokens have times in whole seconds
	}
	token = i.options.Tokens.Sign(guest, signedAt)
	SetToken(c, token, identity.TokenLifetime)
	return token
}

// SetToken sets the token as the browser's cookie, which expires after lifetime.
func SetToken(c *fiber.Ctx, token string, lifetime time.Duration) {
	tls := Of(c).TLS
	c.Cookie(&fiber.Cookie{
		Name: CookieName(tls), Value: token, Path: "/", MaxAge: int(lifetime.Seconds()),
		HTTPOnly: true, SameSite: fiber.CookieSameSiteLaxMode, Secure: tls,
	})
}

// ClearToken removes the browser's cookie.
func (i *Identifier) ClearToken(c *fiber.Ctx) {
	tls := Of(c).TLS
	c.Cookie(&fiber.Cookie{
		Name: CookieName(tls), Path: "/", Expires: time.Unix(1, 0),
		HTTPOnly: true, SameSite: fiber.CookieSameSiteLaxMode, Secure: tls,
	})
}

// Renew renews the cookie's token if that is due, so that infrequent users stay signed in. Handlers of pages must call it.
func (i *Identifier) Renew(c *fiber.Ctx) {
	caller := Of(c)
	switch {
	case !caller.HasCookie || caller.HasBearer:
	case caller.Session != nil:
		if token, err := i.options.Accounts.Renew(c.UserContext(), *caller.Session); err == nil && token != "" {
			SetToken(c, token, accounts.SessionLifetime)
		}
	case !caller.User.IsZero() && time.Until(caller.tokenExpiry) < identity.TokenLifetime-identity.TokenFresh:
		i.SignGuest(c, caller.User)
	}
}

// Rename changes the name of the account that is signed in, and returns the session's token.
func (i *Identifier) Rename(ctx context.Context, session accounts.Session, name string) (token string, err error) {
	_, err = i.options.Accounts.Rename(ctx, session, name)
	return i.options.Accounts.Sign(session), err
}
