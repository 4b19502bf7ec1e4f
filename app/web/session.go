package web

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"burble/app/identity"
	"burble/app/protocol"
	"burble/app/request"

	"github.com/gofiber/fiber/v2"
)

// postSession handles POST /session, which creates a user, or renames the caller.
func (s *Server) postSession(c *fiber.Ctx) error {
	caller := s.callerOf(c)
	if err := request.CheckQuery(c); err != nil {
		return err
	}
	body, err := request.ParseBody(c, "name", "next")
	if err != nil {
		return err
	}
	user, err := identity.NewUser(body.Fields["name"])
	if err != nil {
		return protocol.Errorf(protocol.BadField, "name", "%s", sentence(err))
	}
	if !caller.user.IsZero() {
		user.ID = caller.user.ID
	}
	token := s.setToken(c, user)
	if body.IsForm {
		return c.Redirect(localPath(body.Fields["next"]), http.StatusSeeOther)
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
	return c.JSON(session{protocol.User(user), token})
}

// session is the response to POST /session.
type session struct {
	User  protocol.User `json:"user"`
	Token string        `json:"token"`
}

// setToken signs a token for the user and sets it as the browser's cookie.
func (s *Server) setToken(c *fiber.Ctx, user identity.User) (token string) {
	caller := s.callerOf(c)
	signedAt := time.Now()
	if after := caller.namedAt.Add(time.Second); signedAt.Before(after) {
		signedAt = after // a user has the name in the newest token, and tokens have times in whole seconds
	}
	token = s.tokens.Sign(user, signedAt)
	c.Cookie(&fiber.Cookie{
		Name: cookieName(caller.tls), Value: token, Path: "/", MaxAge: int(identity.TokenLife.Seconds()),
		HTTPOnly: true, SameSite: fiber.CookieSameSiteLaxMode, Secure: caller.tls,
	})
	return token
}

// localPath returns the path to which a form redirects: next, or "/" if next leads to another site.
func localPath(next string) string {
	target, err := url.Parse(next)
	if err != nil || target.Host != "" || target.Scheme != "" || !strings.HasPrefix(next, "/") ||
		strings.HasPrefix(next, "//") || strings.ContainsAny(next, "\\\r\n\t") {
		return "/"
	}
	return next
}

// sentence returns an error's text with a capital letter and a full stop.
func sentence(err error) string {
	text := err.Error()
	return strings.ToUpper(text[:1]) + strings.TrimSuffix(text[1:], ".") + "."
}
