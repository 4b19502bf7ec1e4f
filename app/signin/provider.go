package signin

import (
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"burble/app/accounts"
	"burble/app/caller"
	"burble/app/peer"
	"burble/app/protocol"
	"burble/views"

	"github.com/gofiber/fiber/v2"
)

// startProvider handles GET /oidc/start?next=…, which redirects to the identity provider. Pages use a link instead of a
// form, because form-action in the Content-Security-Policy forbids redirects to other sites. A link on another site must
// not start a sign-in, so it redirects to the sign-in page.
func (h *handlers) startProvider(c *fiber.Ctx) error {
	next := peer.LocalPath(c.Query("next", "/"))
	site := c.Get("Sec-Fetch-Site")
	switch {
	case h.Provider == nil:
		return fiber.ErrNotFound
	case caller.Of(c).Session != nil:
		return c.Redirect(next, http.StatusSeeOther)
	case site == "cross-site" || site == "same-site":
		return c.Redirect("/sign-in?next="+url.QueryEscape(next), http.StatusSeeOther)
	}
	address, state, err := h.Provider.Begin(c.UserContext(), h.callback(c), "/", guest(c))
	if err != nil {
		return h.refuseProvider(c, next, err)
	}
	// next may contain a code, so only the browser keeps it.
	setCookie(c, providerCookie, state+"."+base64.RawURLEncoding.EncodeToString([]byte(next)))
	return c.Redirect(address, http.StatusSeeOther)
}

func (h *handlers) callback(c *fiber.Ctx) string {
	return caller.PublicOrigin(c, h.Origins) + "/oidc/callback"
}

// finishProvider handles GET /oidc/callback, to which the provider redirects.
func (h *handlers) finishProvider(c *fiber.Ctx) error {
	if h.Provider == nil {
		return fiber.ErrNotFound
	}
	state, encoded, _ := strings.Cut(takeCookie(c, providerCookie), ".")
	decoded, _ := base64.RawURLEncoding.DecodeString(encoded)
	next := peer.LocalPath(string(decoded))
	response, err := url.ParseQuery(string(c.Request().URI().QueryString()))
	if err != nil {
		response = nil
	}
	signedIn, _, err := h.Provider.Finish(c.UserContext(), state, response, signIn(c, "", ""))
	if err != nil {
		return h.refuseProvider(c, next, err)
	}
	h.establish(c, signedIn)
	return c.Redirect(next, http.StatusSeeOther)
}

// refuseProvider renders the sign-in page, with the reason why the sign-in with the provider failed.
func (h *handlers) refuseProvider(c *fiber.Ctx, next string, err error) error {
	shown := protocol.AsError(caller.AsError(err))
	var model views.SignIn
	switch {
	case errors.Is(err, accounts.ErrUnavailable):
		model.Notice = h.ProviderName + " can’t be reached. Try again in a moment, or use another way to sign in."
		h.Log.Warn("cannot sign in with the identity provider", "error", err)
	case errors.Is(err, accounts.ErrNotAllowed):
		model.Notice = "You can’t use your " + h.ProviderName + " account here. Its email address must be verified, and belong to this organization."
	case errors.Is(err, accounts.ErrRefused):
		model.Notice = h.ProviderName + " didn’t sign you in. Try again."
	default:
		model.Notice = shown.Notice()
	}
	c.Status(shown.HTTPStatus())
	return h.renderSignIn(c, next, model)
}

// postLogout handles POST /oidc/logout, a request from the provider to end sessions (OpenID Connect Back-Channel Logout
// 1.0, sections 2.5 and 2.8).
func (h *handlers) postLogout(c *fiber.Ctx) error {
	if h.Provider == nil {
		return fiber.ErrNotFound
	}
	err := h.Provider.Logout(c.UserContext(), string(c.Request().PostArgs().Peek("logout_token")))
	switch {
	case err == nil:
		return c.SendStatus(http.StatusOK)
	case errors.Is(err, accounts.ErrRefused):
		return c.Status(http.StatusBadRequest).JSON(map[string]string{"error": "invalid_request"})
	}
	return caller.AsError(err)
}
