package signin

import (
	"net/http"
	"net/url"

	"burble/app/caller"
	"burble/app/peer"
	"burble/app/protocol"
	"burble/app/request"
	"burble/streams"
	"burble/views"

	"github.com/gofiber/fiber/v2"
)

// getSignIn handles GET /sign-in?next=…
func (h *handlers) getSignIn(c *fiber.Ctx) error {
	return h.renderSignIn(c, peer.LocalPath(c.Query("next", "/")), views.SignIn{})
}

func (h *handlers) renderSignIn(c *fiber.Ctx, next string, model views.SignIn) error {
	notice, name := model.Notice, model.NameInput
	model.SignInPage = h.signInPage(c, "Sign in", next, next, "")
	model.Notice, model.NameInput = notice, name
	model.MayUpgrade = h.Mode == streams.Anyone
	return c.Render("sign-in", model)
}

// getWelcome handles GET /welcome?next=…, the page that offers to create a passkey.
func (h *handlers) getWelcome(c *fiber.Ctx) error {
	next := peer.LocalPath(c.Query("next", "/"))
	if caller.Of(c).Session == nil {
		return c.Redirect("/sign-in?next="+url.QueryEscape(next), http.StatusSeeOther)
	}
	return c.Render("welcome", views.Welcome{SignInPage: h.signInPage(c, "Welcome", next, next, "")})
}

// postSignUp handles POST /sign-up, which creates an account for a guest, or for a visitor who gives a name.
func (h *handlers) postSignUp(c *fiber.Ctx) error {
	body, err := request.ParseOptionalBody(c, "name", "key", "next")
	if err != nil {
		return err
	}
	next := peer.LocalPath(body.Fields["next"])
	if err := h.mayUpgrade(c); err != nil {
		return err
	}
	wanted := signIn(c, body.Fields["name"], body.Fields["key"])
	if wanted.User.ID == "" {
		if _, err := newUser(wanted.User); err != nil { // only checks the name: Upgrade derives the user ID from the key
			if !body.IsForm {
				return err
			}
			return h.refuseSignUp(c, next, body.Fields["name"], err)
		}
	}
	signedIn, err := h.Accounts.Upgrade(c.UserContext(), wanted)
	if err != nil {
		return caller.AsError(err)
	}
	h.establish(c, signedIn)
	if body.IsForm {
		return h.welcome(c, signedIn, next)
	}
	return c.Status(http.StatusCreated).JSON(signInResponse{User: userJSON(signedIn.User), Token: signedIn.Token})
}

func (h *handlers) refuseSignUp(c *fiber.Ctx, next, name string, err error) error {
	shown := protocol.AsError(err)
	c.Status(shown.HTTPStatus())
	var model views.SignIn
	model.Notice, model.NameInput = shown.Notice(), name
	return h.renderSignIn(c, next, model)
}

// mayUpgrade returns nil if the caller may get an account without an invite.
func (h *handlers) mayUpgrade(c *fiber.Ctx) error {
	switch {
	case caller.Of(c).Session != nil:
		return protocol.Errorf(protocol.NotAllowed, "", "You already have an account.")
	case h.Mode != streams.Anyone:
		return protocol.Errorf(protocol.NotAllowed, "", "You need an invite for an account on this server.")
	}
	return nil
}

// postSignOut handles POST /sign-out, which ends the caller's session. A guest loses only the cookie.
func (h *handlers) postSignOut(c *fiber.Ctx) error {
	body, err := request.ParseOptionalBody(c)
	if err != nil {
		return err
	}
	if session := caller.Of(c).Session; session != nil {
		user := session.User.String()
		if err := h.Accounts.SignOut(c.UserContext(), user, user, session.ID); err != nil {
			return caller.AsError(err)
		}
	}
	h.Callers.ClearToken(c)
	if body.IsForm {
		c.Set("Clear-Site-Data", `"storage"`) // drafts, the outbox and cached rooms
		return c.Redirect("/", http.StatusSeeOther)
	}
	return c.SendStatus(http.StatusNoContent)
}
