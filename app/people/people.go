package people

import (
	"encoding/base64"
	"errors"
	"html/template"
	"log/slog"
	"net/http"
	"net/url"

	"burble/app/accounts"
	"burble/app/accounts/passkeys"
	"burble/app/caller"
	"burble/app/chat"
	"burble/app/identity"
	"burble/app/negotiate"
	"burble/app/protocol"
	"burble/streams"
	"burble/views"

	"github.com/gofiber/fiber/v2"
	"rsc.io/qr"
)

// Options configure the routes.
type Options struct {
	Log      *slog.Logger
	Accounts *accounts.Accounts
	Passkeys *passkeys.Passkeys
	Chat     *chat.Service
	Callers  *caller.Identifier
	Origins  []string // other origins of this server, as peer.CanonicalOrigin returns them

	// Allow counts a request that creates a link or an invite. It returns an error if the address must wait.
	Allow func(address string) error
	// NewPage returns the fields that every page has.
	NewPage func(c *fiber.Ctx, title string) views.Page
}

// handlers handles the routes.
type handlers struct{ Options }

// Register adds the routes. Middleware must already have checked the Origin and the token of each request.
func Register(router fiber.Router, options Options) {
	h := &handlers{options}
	account, leader := h.requireAccount, h.requireLeader
	router.Get("/me", negotiate.NoStore, account, h.getAccount)
	router.Post("/me", negotiate.NoStore, account, h.postName)
	router.Post("/me/leave", negotiate.NoStore, account, h.postLeave)
	router.Post("/me/passkeys/:id", negotiate.NoStore, account, h.postPasskey)
	router.Get("/me/sessions", negotiate.NoStore, account, h.getSessions)
	router.Post("/me/sessions", negotiate.NoStore, account, h.endOtherSessions)
	router.Delete("/me/sessions", negotiate.NoStore, account, h.endOtherSessions)
	router.Post("/me/sessions/:id", negotiate.NoStore, account, h.endSession)
	router.Delete("/me/sessions/:id", negotiate.NoStore, account, h.endSession)

	router.Get("/people", negotiate.NoStore, account, h.getPeople)
	router.Post("/people/:user/link", negotiate.NoStore, account, h.limit, h.postLink)
	router.Put("/people/:user/role", account, h.putRole)
	router.Post("/people/:user/role", account, h.putRole)
	router.Put("/people/:user/ban", account, h.putBan)
	router.Post("/people/:user/ban", account, h.putBan)
	router.Delete("/people/:user/ban", account, h.deleteBan)
	router.Delete("/people/:user/sessions", account, h.endTheirSessions)
	router.Post("/people/:user/sessions", account, h.endTheirSessions)

	router.Get("/invites", negotiate.NoStore, account, h.getInvites)
	router.Post("/invites", negotiate.NoStore, account, h.limit, h.postInvite)
	router.Post("/invites/:id", account, h.revokeInvite)
	router.Delete("/invites/:id", account, h.revokeInvite)

	router.Get("/audit", negotiate.NoStore, account, leader, h.getAudit)
}

// requireAccount is middleware that refuses callers without an account. It redirects browsers to the sign-in page.
func (h *handlers) requireAccount(c *fiber.Ctx) error {
	switch {
	case caller.Of(c).Session != nil:
		return c.Next()
	case c.Method() == http.MethodGet && negotiate.PrefersHTML(c):
		return c.Redirect("/sign-in?next="+url.QueryEscape(c.OriginalURL()), http.StatusSeeOther)
	}
	return streams.ErrSignIn
}

// limit is middleware that counts a request against the rate limits of sign-ins.
func (h *handlers) limit(c *fiber.Ctx) error {
	if err := h.Allow(caller.Of(c).Address); err != nil {
		return err
	}
	return c.Next()
}

// requireLeader is middleware that refuses callers who are neither moderators nor owners.
func (h *handlers) requireLeader(c *fiber.Ctx) error {
	if !isLeader(c) {
		return caller.AsError(accounts.ErrNotAllowed)
	}
	return c.Next()
}

// isLeader reports whether the caller is a moderator or an owner.
func isLeader(c *fiber.Ctx) bool { return caller.Of(c).User.Rank >= identity.Moderator }

// user returns the user ID in the request's path.
func user(c *fiber.Ctx) (id string, err error) {
	return protocol.CheckUser("user", c.Params("user"))
}

// me returns the caller's user ID.
func me(c *fiber.Ctx) string { return caller.Of(c).User.ID }

// done responds to a request that has succeeded. It redirects a form to the page.
func done(c *fiber.Ctx, isForm bool, page string) error {
	if isForm {
		return c.Redirect(page, http.StatusSeeOther)
	}
	return c.SendStatus(http.StatusNoContent)
}

// record records an action of the caller in the audit log. member is the user ID of the person it affects, or "".
func (h *handlers) record(c *fiber.Ctx, member string, action streams.Entry) error {
	if member != "" {
		action.Member = streams.User{ID: member, Name: h.nameOf(c, member)}
	}
	err := h.Chat.Record(caller.Of(c).User, "", action)
	if errors.Is(err, streams.ErrFull) { // bans and sign-outs work even if Redis is full, so their requests must succeed
		h.Log.Warn("cannot record an action in the audit log", "action", action.Action, "by", me(c), "user", member, "error", err)
		return nil
	}
	return err
}

// nameOf returns the name of an account, or "" for a guest.
func (h *handlers) nameOf(c *fiber.Ctx, id string) string {
	account, err := h.Accounts.Account(c.UserContext(), id)
	if err != nil {
		return ""
	}
	return account.Name
}

// showSecret renders the page of a link that was just created.
func (h *handlers) showSecret(c *fiber.Ctx, model views.Secret) error {
	model.Page = h.NewPage(c, model.Heading)
	if code, err := qr.Encode(model.URL, qr.M); err == nil {
		model.QR = template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(code.PNG()))
	}
	return c.Render("secret", model)
}
