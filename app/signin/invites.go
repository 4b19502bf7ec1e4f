package signin

import (
	"context"
	"errors"
	"net/http"
	"time"

	"burble/app/accounts"
	"burble/app/caller"
	"burble/app/chat"
	"burble/app/identity"
	"burble/app/protocol"
	"burble/app/request"
	"burble/streams"
	"burble/views"

	"github.com/gofiber/fiber/v2"
)

// getInvite handles GET /i/{code}, the page of an invite.
func (h *handlers) getInvite(c *fiber.Ctx) error {
	return h.renderInvite(c, "", nil)
}

// renderInvite renders the page. If its form was refused, name is what the user typed, and refused is the error.
func (h *handlers) renderInvite(c *fiber.Ctx, name string, refused error) error {
	code := c.Params("code")
	invite, err := h.Accounts.Invite(c.UserContext(), code)
	if err != nil {
		return caller.AsCodeError(err)
	}
	inviter, err := h.inviter(c.UserContext(), invite)
	if err != nil {
		return err
	}
	model := views.Invite{
		SignInPage: h.signInPage(c, "You’re invited", "/i/"+code, "/", code),
		By:         inviter.Name, IsPrivate: streams.IsHidden(invite.Room),
	}
	switch {
	case invite.Room != "" && !model.IsPrivate:
		model.Room = invite.Room
	case invite.Room == "" && invite.Role == accounts.Owner:
		model.Role = "an owner"
	case invite.Room == "" && invite.Role != accounts.Member:
		model.Role = "a " + string(invite.Role)
	}
	if refused != nil {
		shown := protocol.AsError(refused)
		c.Status(shown.HTTPStatus())
		model.Notice, model.NameInput = shown.Notice(), name
	}
	return c.Render("invite", model)
}

// inviter returns the creator of an invite, or the zero User for the operator. It returns an error if the creator may no
// longer invite people to the invite's room. Package accounts checks the right to invite people to the server.
func (h *handlers) inviter(ctx context.Context, invite accounts.Invite) (identity.User, error) {
	if invite.By == accounts.Operator {
		return identity.User{}, nil
	}
	account, err := h.Accounts.Account(ctx, invite.By)
	if errors.Is(err, accounts.ErrUnknown) || err == nil && account.Banned {
		err = accounts.ErrCode
	}
	if err != nil {
		return identity.User{}, caller.AsCodeError(err)
	}
	inviter := account.User
	inviter.Rank = account.Role.Rank()
	if invite.Room != "" {
		err = h.Chat.MayInvite(ctx, inviter, invite.Room)
	}
	switch {
	case err == nil:
		return inviter, nil
	case errors.Is(err, streams.ErrUnavailable):
		return identity.User{}, err
	}
	return identity.User{}, caller.AsCodeError(accounts.ErrCode)
}

// postInvite handles POST /i/{code}, which creates an account if the caller has none, and joins the room.
func (h *handlers) postInvite(c *fiber.Ctx) error {
	body, err := request.ParseOptionalBody(c, "name", "key")
	if err != nil {
		return err
	}
	code, session := c.Params("code"), caller.Of(c).Session
	wanted := signIn(c, body.Fields["name"], body.Fields["key"])
	if session == nil && wanted.User.ID == "" {
		if _, err := newUser(wanted.User); err != nil {
			if !body.IsForm {
				return err
			}
			return h.renderInvite(c, body.Fields["name"], err)
		}
	}
	redeemed, err := h.redeem(c.UserContext(), code, session, wanted)
	if err != nil {
		return err
	}
	if session == nil {
		h.establish(c, redeemed.SignedIn)
	}
	if err := h.join(c.UserContext(), redeemed); err != nil {
		return err
	}
	next := "/"
	if redeemed.Room != "" {
		next = "/r/" + redeemed.Room
	}
	switch {
	case body.IsForm && session == nil:
		return h.welcome(c, redeemed.SignedIn, next)
	case body.IsForm:
		return c.Redirect(next, http.StatusSeeOther)
	}
	return c.JSON(signInResponse{User: userJSON(redeemed.User), Token: redeemed.Token, Room: redeemed.Room})
}

// redeem redeems the invite for the account that is signed in, or for a new one.
func (h *handlers) redeem(ctx context.Context, code string, session *accounts.Session, wanted accounts.SignIn) (accounts.Redeemed, error) {
	// Invite returns ErrCode for an invite without uses left, but a person who has redeemed it may redeem it again.
	invite, err := h.Accounts.Invite(ctx, code)
	if err == nil {
		_, err = h.inviter(ctx, invite)
	} else if errors.Is(err, accounts.ErrCode) {
		err = nil
	}
	if err != nil {
		return accounts.Redeemed{}, caller.AsCodeError(err)
	}
	var redeemed accounts.Redeemed
	if session != nil {
		redeemed, err = h.Accounts.RedeemAs(ctx, code, *session)
	} else {
		redeemed, err = h.Accounts.Redeem(ctx, code, wanted)
	}
	if err != nil {
		return redeemed, caller.AsCodeError(err)
	}
	return redeemed, nil
}

// join records that the person has redeemed the invite, and makes them a member of its room if it is private.
func (h *handlers) join(ctx context.Context, redeemed accounts.Redeemed) error {
	inviter, err := h.inviter(ctx, accounts.Invite{By: redeemed.By, Room: redeemed.Room})
	if err != nil {
		return err
	}
	person := redeemed.User
	person.Rank = identity.Account
	if streams.IsHidden(redeemed.Room) {
		// Times are in whole seconds, so the invite may have been created after a removal in the same second.
		since := redeemed.Created.Add(time.Second)
		if redeemed.Repeated {
			since = redeemed.At
		}
		if err := h.Chat.JoinInvited(inviter, person, redeemed.Room, redeemed.JoinKey, since); err != nil {
			return err
		}
	}
	if redeemed.By == accounts.Operator {
		inviter = chat.Operator
	}
	return h.Chat.Record(person, redeemed.JoinKey, streams.Entry{
		Action: protocol.ActionJoin, Member: streams.User{ID: inviter.ID, Name: inviter.Name}, Room: redeemed.Room,
		Role: streams.Role(redeemed.Role),
	})
}
