package signin

import (
	"errors"
	"net/http"
	"net/url"

	"burble/app/accounts"
	"burble/app/caller"
	"burble/app/identity"
	"burble/app/protocol"
	"burble/app/request"
	"burble/streams"
	"burble/views"

	"github.com/gofiber/fiber/v2"
)

// ownerInvite returns the invite with the code if its role is owner.
func (h *handlers) ownerInvite(c *fiber.Ctx, code string) (accounts.Invite, error) {
	invite, err := h.Accounts.Invite(c.UserContext(), code)
	if err == nil && !makesOwner(invite.Role, invite.Room) {
		err = accounts.ErrCode
	}
	if err != nil {
		return invite, caller.AsError(err)
	}
	return invite, nil
}

// getSetup handles GET /setup?code=…
func (h *handlers) getSetup(c *fiber.Ctx) error {
	code := c.Query("code")
	if _, err := h.ownerInvite(c, code); err != nil {
		return err
	}
	return h.renderSetup(c, code, "", nil)
}

// renderSetup renders the page. If its form was refused, name is what the user typed, and refused is the error.
func (h *handlers) renderSetup(c *fiber.Ctx, code, name string, refused error) error {
	first, err := h.Accounts.SetupCode(c.UserContext())
	if err != nil {
		return caller.AsError(err)
	}
	model := views.Setup{
		SignInPage: h.signInPage(c, "Become an owner", "/setup?code="+url.QueryEscape(code), "/", code),
		IsFirst:    first != "",
	}
	if refused != nil {
		shown := protocol.AsError(refused)
		c.Status(shown.HTTPStatus())
		model.Notice, model.NameInput = shown.Notice(), name
	}
	return c.Render("setup", model)
}

// postSetup handles POST /setup. It makes the account that is signed in an owner, or creates an owner's account without a
// passkey.
func (h *handlers) postSetup(c *fiber.Ctx) error {
	body, err := request.ParseOptionalBody(c, "code", "name", "key", "next")
	if err != nil {
		return err
	}
	code, session := body.Fields["code"], caller.Of(c).Session
	if session != nil {
		return h.promote(c, body, *session)
	}
	wanted := signIn(c, body.Fields["name"], body.Fields["key"])
	if wanted.User.ID == "" {
		// Only the name is checked here. Redeem derives the user ID from the key, so that repeating the form is harmless.
		if _, err := newUser(wanted.User); err != nil {
			if !body.IsForm {
				return err
			}
			return h.renderSetup(c, code, body.Fields["name"], err)
		}
	}
	signedIn, err := h.becomeOwner(c, code, wanted)
	if err != nil {
		return err
	}
	h.establish(c, signedIn)
	if body.IsForm {
		return h.welcome(c, signedIn, "/")
	}
	return c.Status(http.StatusCreated).JSON(signInResponse{User: userJSON(signedIn.User), Token: signedIn.Token})
}

// promote makes the account that is signed in an owner.
func (h *handlers) promote(c *fiber.Ctx, body request.Body, session accounts.Session) error {
	if err := h.refuseOtherInvite(c, body.Fields["code"]); err != nil {
		return err
	}
	redeemed, err := h.Accounts.RedeemAs(c.UserContext(), body.Fields["code"], session)
	if err != nil {
		return caller.AsError(err)
	}
	if err := h.recordOwner(redeemed); err != nil {
		return err
	}
	if body.IsForm {
		return c.Redirect("/me", http.StatusSeeOther)
	}
	return c.JSON(signInResponse{User: userJSON(redeemed.User)})
}

// becomeOwner creates the account of an owner.
func (h *handlers) becomeOwner(c *fiber.Ctx, code string, wanted accounts.SignIn) (accounts.SignedIn, error) {
	if err := h.refuseOtherInvite(c, code); err != nil {
		return accounts.SignedIn{}, err
	}
	redeemed, err := h.Accounts.Redeem(c.UserContext(), code, wanted)
	if err != nil {
		return accounts.SignedIn{}, caller.AsError(err)
	}
	return redeemed.SignedIn, h.recordOwner(redeemed)
}

// refuseOtherInvite returns an error if the code is for an invite with a role other than owner. It accepts a spent code,
// because the person who spent it may repeat the request. For anyone else, Redeem returns an error.
func (h *handlers) refuseOtherInvite(c *fiber.Ctx, code string) error {
	invite, err := h.Accounts.Invite(c.UserContext(), code)
	if err == nil && !makesOwner(invite.Role, invite.Room) {
		return caller.AsError(accounts.ErrCode)
	}
	if err != nil && !errors.Is(err, accounts.ErrCode) {
		return caller.AsError(err)
	}
	return nil
}

func makesOwner(role accounts.Role, room string) bool { return role == accounts.Owner && room == "" }

func (h *handlers) recordOwner(redeemed accounts.Redeemed) error {
	if !makesOwner(redeemed.Role, redeemed.Room) {
		return nil
	}
	owner := identity.User{ID: redeemed.User.ID, Name: redeemed.User.Name}
	return h.Chat.Record(owner, redeemed.JoinKey, streams.Entry{
		Action: protocol.ActionRole, Member: streams.User{ID: owner.ID, Name: owner.Name}, Role: streams.Role(accounts.Owner),
	})
}
