package signin

import (
	"burble/app/accounts"
	"burble/app/caller"
	"burble/app/identity"
	"burble/app/peer"
	"burble/app/protocol"
	"burble/app/request"

	"github.com/gofiber/fiber/v2"
)

// postSignInOptions handles POST /sign-in/options, which returns the options for navigator.credentials.get.
func (h *handlers) postSignInOptions(c *fiber.Ctx) error {
	if _, err := request.ParseOptionalBody(c); err != nil {
		return err
	}
	site, err := h.site(c)
	if err != nil {
		return err
	}
	options, code, err := h.Passkeys.BeginLogin(c.UserContext(), site)
	if err != nil {
		return caller.AsError(err)
	}
	return sendOptions(c, options, code)
}

func sendOptions(c *fiber.Ctx, options []byte, code string) error {
	setCookie(c, passkeyCookie, code)
	c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSONCharsetUTF8)
	return c.Send(options)
}

// postSignIn handles POST /sign-in, which finishes a sign-in with a passkey.
func (h *handlers) postSignIn(c *fiber.Ctx) error {
	body, err := request.ParseOptionalBody(c, "answer", "next")
	if err != nil {
		return err
	}
	site, err := h.site(c)
	if err != nil {
		return err
	}
	code := takeCookie(c, passkeyCookie)
	signedIn, err := h.Passkeys.FinishLogin(c.UserContext(), site, code, []byte(body.Fields["answer"]), signIn(c, "", ""))
	if err != nil {
		return caller.AsError(err)
	}
	h.establish(c, signedIn)
	return c.JSON(signInResponse{User: userJSON(signedIn.User), Next: peer.LocalPath(body.Fields["next"])})
}

// postPasskeyOptions handles POST /passkeys/options, which returns the options for
// navigator.credentials.create. The passkey is for the account that is signed in, or for one that postPasskey
// will create.
func (h *handlers) postPasskeyOptions(c *fiber.Ctx) error {
	body, err := request.ParseOptionalBody(c, "name", "code")
	if err != nil {
		return err
	}
	site, err := h.site(c)
	if err != nil {
		return err
	}
	user := caller.Of(c).User
	if caller.Of(c).Session == nil {
		if err := h.mayCreate(c, body.Fields["code"]); err != nil {
			return err
		}
		if user, err = newUser(signIn(c, body.Fields["name"], "").User); err != nil {
			return err
		}
	}
	options, code, err := h.Passkeys.BeginCreate(c.UserContext(), site, user)
	if err != nil {
		return caller.AsError(err)
	}
	return sendOptions(c, options, code)
}

// mayCreate returns nil if the caller may create an account with a passkey. code is the code of an owner's invite, or "".
func (h *handlers) mayCreate(c *fiber.Ctx, code string) error {
	if code == "" {
		return h.mayUpgrade(c)
	}
	_, err := h.ownerInvite(c, code)
	return err
}

// newUser returns wanted if it has an ID, and otherwise a new user with the same name.
func newUser(wanted identity.User) (identity.User, error) {
	if wanted.ID != "" {
		return wanted, nil
	}
	user, err := identity.NewUser(wanted.Name)
	if err != nil {
		return user, nameError(err)
	}
	return user, nil
}

// postPasskey handles POST /passkeys, which finishes the creation of a passkey, and creates an account if the
// caller has none.
func (h *handlers) postPasskey(c *fiber.Ctx) error {
	body, err := request.ParseOptionalBody(c, "answer", "code", "next")
	if err != nil {
		return err
	}
	site, err := h.site(c)
	if err != nil {
		return err
	}
	found, ctx := caller.Of(c), c.UserContext()
	code := takeCookie(c, passkeyCookie)
	passkey, err := h.Passkeys.FinishCreate(ctx, site, code, []byte(body.Fields["answer"]), device(c.Get(fiber.HeaderUserAgent)))
	if err != nil {
		return caller.AsError(err)
	}
	if !found.User.IsZero() && found.User.ID != passkey.User.ID {
		return caller.AsError(accounts.ErrRefused) // another person has signed in since the ceremony began
	}
	response := signInResponse{User: userJSON(passkey.User), Next: peer.LocalPath(body.Fields["next"])}
	if found.Session != nil {
		if err := h.Accounts.AddPasskey(ctx, *found.Session, passkey); err != nil {
			return caller.AsError(err)
		}
		return c.JSON(response)
	}
	signedIn, err := h.createWith(c, passkey, body.Fields["code"])
	if err != nil {
		return err
	}
	h.establish(c, signedIn)
	return c.JSON(response)
}

// createWith creates an account with the passkey.
func (h *handlers) createWith(c *fiber.Ctx, passkey *accounts.Passkey, code string) (accounts.SignedIn, error) {
	wanted := signIn(c, "", "")
	wanted.User, wanted.Passkey = passkey.User, passkey
	if code != "" {
		return h.becomeOwner(c, code, wanted)
	}
	if err := h.mayUpgrade(c); err != nil {
		return accounts.SignedIn{}, err
	}
	signedIn, err := h.Accounts.Upgrade(c.UserContext(), wanted)
	if err != nil {
		err = caller.AsError(err)
	}
	return signedIn, err
}

// nameError returns the error for a name that identity.NewUser refuses.
func nameError(err error) error {
	return protocol.Errorf(protocol.BadField, "name", "%s", protocol.Sentence(err))
}
