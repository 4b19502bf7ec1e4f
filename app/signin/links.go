package signin

import (
	"burble/app/accounts"
	"burble/app/caller"
	"burble/app/request"
	"burble/views"

	"github.com/gofiber/fiber/v2"
)

// getLink handles GET /l/{code}, the page of a one-time link.
func (h *handlers) getLink(c *fiber.Ctx) error {
	account, err := h.Accounts.PeekLink(c.UserContext(), c.Params("code"))
	if err == nil && account.Banned {
		err = accounts.ErrCode
	}
	if err != nil {
		return caller.AsCodeError(err)
	}
	return c.Render("one-time-link", views.OneTimeLink{
		SignInPage: h.signInPage(c, "Sign in with this link", "", "", c.Params("code")),
		For:        views.User{ID: account.ID, Name: account.Name},
	})
}

// postLink handles POST /l/{code}, which signs the caller in and spends the link.
func (h *handlers) postLink(c *fiber.Ctx) error {
	body, err := request.ParseOptionalBody(c, "key")
	if err != nil {
		return err
	}
	wanted := signIn(c, "", body.Fields["key"])
	signedIn, err := h.Accounts.SpendLink(c.UserContext(), c.Params("code"), wanted)
	if err != nil {
		return caller.AsCodeError(err)
	}
	h.establish(c, signedIn)
	if body.IsForm {
		return h.welcome(c, signedIn, "/")
	}
	return c.JSON(signInResponse{User: userJSON(signedIn.User), Token: signedIn.Token})
}
