package people

import (
	"errors"
	"net/http"
	"time"

	"burble/app/accounts"
	"burble/app/caller"
	"burble/app/protocol"
	"burble/app/request"
	"burble/views"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
)

// getAccount handles GET /me, the page of the account that is signed in.
func (h *handlers) getAccount(c *fiber.Ctx) error { return h.renderAccount(c, "", nil) }

// renderAccount renders the page. If a new name was refused, name is what the user typed, and refused is the error.
func (h *handlers) renderAccount(c *fiber.Ctx, name string, refused error) error {
	ctx, session := c.UserContext(), caller.Of(c).Session
	keys, err := h.Passkeys.List(ctx, me(c))
	if err != nil {
		return caller.AsError(err)
	}
	sessions, err := h.Accounts.Sessions(ctx, me(c))
	if err != nil {
		return caller.AsError(err)
	}
	model := views.Account{Page: h.NewPage(c, "Your account"), Role: string(accounts.RoleOf(caller.Of(c).User.Rank)), IsLeader: isLeader(c)}
	for _, key := range keys {
		model.Passkeys = append(model.Passkeys, views.Passkey{ID: key.ID, Name: key.Name, Created: key.Created, Used: key.Used})
	}
	for _, info := range sessions {
		row := views.Session{ID: info.ID.String(), Device: info.Device, LastDay: info.LastDay, IsCurrent: info.ID == session.ID}
		model.Sessions = append(model.Sessions, row)
	}
	if refused != nil {
		shown := protocol.AsError(refused)
		c.Status(shown.HTTPStatus())
		model.Notice, model.NameInput = shown.Notice(), name
	}
	return c.Render("account", model)
}

// postName handles POST /me, which changes the name of the account.
func (h *handlers) postName(c *fiber.Ctx) error {
	body, err := request.ParseOptionalBody(c, "name")
	if err != nil {
		return err
	}
	_, err = h.Accounts.Rename(c.UserContext(), *caller.Of(c).Session, body.Fields["name"])
	switch known := caller.AsError(err); {
	case err == nil:
		return done(c, body.IsForm, "/me")
	case known != err:
		return known
	}
	err = protocol.Errorf(protocol.BadField, "name", "%s", protocol.Sentence(err))
	if body.IsForm {
		return h.renderAccount(c, body.Fields["name"], err)
	}
	return err
}

// postPasskey handles POST /me/passkeys/{id}, which renames or removes a passkey.
func (h *handlers) postPasskey(c *fiber.Ctx) error {
	body, err := request.ParseOptionalBody(c, "name", "remove")
	if err != nil {
		return err
	}
	ctx, session, id := c.UserContext(), *caller.Of(c).Session, c.Params("id")
	if body.Fields["remove"] != "" {
		err = h.Accounts.RemovePasskey(ctx, session, id)
	} else {
		err = h.Passkeys.Rename(ctx, session, id, body.Fields["name"])
	}
	if err != nil {
		return caller.AsError(err)
	}
	return done(c, body.IsForm, "/me")
}

// postLeave handles POST /me/leave, which removes the account.
func (h *handlers) postLeave(c *fiber.Ctx) error {
	body, err := request.ParseOptionalBody(c, "confirm")
	if err != nil {
		return err
	}
	if body.Fields["confirm"] != "true" {
		return protocol.Errorf(protocol.BadField, "confirm", `"confirm" must be "true".`)
	}
	user := caller.Of(c).User
	if err := h.Accounts.Leave(c.UserContext(), *caller.Of(c).Session); err != nil {
		return caller.AsError(err)
	}
	if err := h.Chat.LeaveRooms(user); err != nil { // not an error for the client: without an account, the memberships are useless
		h.Log.Warn("cannot remove the memberships of a removed account", "user", user.ID, "error", err)
	}
	h.Callers.ClearToken(c)
	if body.IsForm {
		c.Set("Clear-Site-Data", `"storage"`)
	}
	return done(c, body.IsForm, "/")
}

// sessionJSON is a session in the response to GET /me/sessions.
type sessionJSON struct {
	ID       string `json:"id"`
	Device   string `json:"device"`
	Created  string `json:"created"`
	LastUsed string `json:"last_used"` // a date
	Current  bool   `json:"current"`
}

// getSessions handles GET /me/sessions.
func (h *handlers) getSessions(c *fiber.Ctx) error {
	if err := request.CheckQuery(c); err != nil {
		return err
	}
	sessions, err := h.Accounts.Sessions(c.UserContext(), me(c))
	if err != nil {
		return caller.AsError(err)
	}
	list := make([]sessionJSON, len(sessions))
	for i, session := range sessions {
		list[i] = sessionJSON{session.ID.String(), session.Device, session.Created.UTC().Format(time.RFC3339),
			session.LastDay.Format(time.DateOnly), session.ID == caller.Of(c).Session.ID}
	}
	return c.JSON(list)
}

// endSession handles DELETE /me/sessions/{id}, and a form's POST.
func (h *handlers) endSession(c *fiber.Ctx) error {
	body, err := request.ParseOptionalBody(c)
	if err != nil {
		return err
	}
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return fiber.ErrNotFound
	}
	if err := h.Accounts.SignOut(c.UserContext(), me(c), me(c), id); err != nil {
		return caller.AsError(err)
	}
	if id != caller.Of(c).Session.ID {
		return done(c, body.IsForm, "/me")
	}
	h.Callers.ClearToken(c)
	if body.IsForm {
		c.Set("Clear-Site-Data", `"storage"`)
	}
	return done(c, body.IsForm, "/")
}

// endOtherSessions handles DELETE /me/sessions, and a form's POST. It ends all sessions but the caller's.
func (h *handlers) endOtherSessions(c *fiber.Ctx) error {
	body, err := request.ParseOptionalBody(c)
	if err != nil {
		return err
	}
	if err := h.Accounts.SignOutOthers(c.UserContext(), *caller.Of(c).Session); err != nil {
		return caller.AsError(err)
	}
	return done(c, body.IsForm, "/me")
}

// linkJSON is the response to a request that creates a link.
type linkJSON struct {
	ID      string `json:"id,omitempty"`
	URL     string `json:"url"`
	Expires string `json:"expires"`
}

// postLink handles POST /people/{user}/link, which creates a one-time link for the caller. Moderators and owners can also
// create one for someone else.
func (h *handlers) postLink(c *fiber.Ctx) error {
	body, err := request.ParseOptionalBody(c)
	if err != nil {
		return err
	}
	id, err := user(c)
	if err != nil {
		return err
	}
	code, err := h.Accounts.CreateLinkAs(c.UserContext(), *caller.Of(c).Session, id)
	if errors.Is(err, accounts.ErrBanned) {
		return protocol.Errorf(protocol.NotAllowed, "user", "This person is banned.")
	}
	if err != nil {
		return caller.AsError(err)
	}
	model := views.Secret{
		Heading: "Sign in on another device", Back: "/me", URL: caller.PublicOrigin(c, h.Origins) + "/l/" + code,
		Text: "Open this link on the other device, or scan the code there. The link works once, and expires in 10 minutes. Anyone who has it can sign in as you.",
	}
	if id != me(c) {
		if err := h.record(c, id, auditLink); err != nil {
			return err
		}
		name := h.nameOf(c, id)
		model.Heading, model.Back = "A sign-in link for "+name, "/people"
		model.Text = "Send this link to " + name + " privately. It works once, and expires in 10 minutes. Anyone who has it can sign in as " + name + "."
	}
	if body.IsForm {
		return h.showSecret(c, model)
	}
	expires := time.Now().Add(accounts.LinkLifetime).UTC().Format(time.RFC3339)
	return c.Status(http.StatusCreated).JSON(linkJSON{URL: model.URL, Expires: expires})
}
