package people

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"burble/app/accounts"
	"burble/app/caller"
	"burble/app/identity"
	"burble/app/negotiate"
	"burble/app/protocol"
	"burble/app/request"
	"burble/streams"
	"burble/views"

	"github.com/gofiber/fiber/v2"
)

// defaultInviteLifetime is how long an invite is valid without the field expires_in.
const defaultInviteLifetime = 7 * 24 * time.Hour

// inviteJSON is an invite in the response to GET /invites.
type inviteJSON struct {
	ID      string `json:"id"`
	Room    string `json:"room,omitempty"`
	Role    string `json:"role"`
	Uses    int    `json:"uses"` // remaining
	Expires string `json:"expires"`
	By      string `json:"by,omitempty"` // user ID
}

// getInvites handles GET /invites, which lists the invites that the caller may see.
func (h *handlers) getInvites(c *fiber.Ctx) error {
	if err := request.CheckQuery(c); err != nil {
		return err
	}
	found, err := h.Accounts.Invites(c.UserContext(), me(c))
	if err != nil {
		return caller.AsError(err)
	}
	if negotiate.PrefersHTML(c) {
		return h.renderInvites(c, found)
	}
	list := make([]inviteJSON, len(found))
	for i, invite := range found {
		list[i] = inviteJSON{invite.ID, invite.Room, string(invite.Role), invite.Uses, invite.Expiry.UTC().Format(time.RFC3339), invite.By}
	}
	return c.JSON(list)
}

func (h *handlers) renderInvites(c *fiber.Ctx, found []accounts.Invite) error {
	model := views.Invites{Page: h.NewPage(c, "Invites"), MayInvite: isLeader(c)}
	if caller.Of(c).User.Rank == identity.Owner {
		model.Roles = []string{string(accounts.Member), string(accounts.Moderator), string(accounts.Owner)}
	}
	names := map[string]string{me(c): "you", accounts.Operator: "the operator"}
	for _, invite := range found {
		by, known := names[invite.By]
		if !known {
			by = h.nameOf(c, invite.By)
			names[invite.By] = by
		}
		model.Invites = append(model.Invites, views.InviteRow{ID: invite.ID, For: h.target(c, invite), Uses: invite.Uses, Expiry: invite.Expiry, By: by})
	}
	return c.Render("invites", model)
}

// target returns the text that shows, in the list of invites, what an invite is for.
func (h *handlers) target(c *fiber.Ctx, invite accounts.Invite) string {
	switch {
	case streams.IsHidden(invite.Room):
		about, err := h.Chat.About(c.UserContext(), caller.Of(c).User, invite.Room)
		if err != nil || about.Settings.Title == "" {
			return "a private room"
		}
		return about.Settings.Title
	case invite.Room != "":
		return "#" + invite.Room
	case invite.Role != accounts.Member:
		return "this chat, as " + string(invite.Role)
	}
	return "this chat"
}

// postInvite handles POST /invites.
func (h *handlers) postInvite(c *fiber.Ctx) error {
	body, err := request.ParseOptionalBody(c, "room", "role", "uses", "expires_in", "key")
	if err != nil {
		return err
	}
	invite, err := parseInvite(body.Fields)
	if err != nil {
		return err
	}
	if invite.Room != "" {
		if err := h.Chat.MayInvite(c.UserContext(), caller.Of(c).User, invite.Room); err != nil {
			return err
		}
	}
	id, code, err := h.Accounts.CreateInvite(c.UserContext(), me(c), body.Fields["key"], invite)
	if err != nil {
		return caller.AsError(err)
	}
	recorded := streams.Entry{Action: protocol.ActionInvite, Room: invite.Room, Role: streams.Role(invite.Role)}
	if err := h.record(c, "", recorded); err != nil {
		return err
	}
	address := caller.PublicOrigin(c, h.Origins) + "/i/" + code
	if body.IsForm {
		back := "/invites"
		if invite.Room != "" {
			back = "/r/" + invite.Room
		}
		return h.showSecret(c, views.Secret{
			Heading: "An invite link", URL: address, Back: back,
			Text: "Send this link to the people you want to invite. Anyone who has it can accept the invite until its uses run out or it expires.",
		})
	}
	return c.Status(http.StatusCreated).JSON(linkJSON{ID: id, URL: address, Expires: invite.Expiry.UTC().Format(time.RFC3339)})
}

// parseInvite returns the invite with the fields of a request.
func parseInvite(fields map[string]string) (invite accounts.Invite, err error) {
	invite = accounts.Invite{Room: fields["room"], Role: accounts.Member, Uses: 1}
	if invite.Room != "" {
		if _, err := protocol.CheckRoom(invite.Room); err != nil {
			return invite, err
		}
	}
	if role := fields["role"]; role != "" {
		invite.Role = accounts.Role(role)
	}
	if !invite.Role.IsValid() || invite.Room != "" && invite.Role != accounts.Member {
		return invite, protocol.Errorf(protocol.BadField, "role", `"role" must be "member", or for an invite without a room also "moderator" or "owner".`)
	}
	if uses := fields["uses"]; uses != "" {
		if invite.Uses, err = strconv.Atoi(uses); err != nil || invite.Uses < 1 || invite.Uses > accounts.MaxInviteUses {
			return invite, protocol.Errorf(protocol.BadField, "uses", `"uses" must be a number from 1 to %d.`, accounts.MaxInviteUses)
		}
	}
	lifetime := defaultInviteLifetime
	if text := fields["expires_in"]; text != "" {
		if lifetime, err = ParseLifetime(text); err != nil {
			return invite, protocol.Errorf(protocol.BadField, "expires_in", `"expires_in" must be a time such as 30m, 12h or 7d, up to %dd.`, accounts.MaxInviteLifetime/(24*time.Hour))
		}
	}
	invite.Expiry = time.Now().Add(lifetime)
	return invite, nil
}

// ParseLifetime parses the lifetime of an invite, such as 30m, 12h or 7d.
func ParseLifetime(text string) (time.Duration, error) {
	lifetime, err := time.Duration(0), error(nil)
	if days, isDays := strings.CutSuffix(text, "d"); isDays {
		var n uint64
		n, err = strconv.ParseUint(days, 10, 8)
		lifetime = time.Duration(n) * 24 * time.Hour
	} else {
		lifetime, err = time.ParseDuration(text)
	}
	if err != nil || lifetime <= 0 || lifetime > accounts.MaxInviteLifetime {
		return 0, errors.New("must be a time such as 30m, 12h or 7d")
	}
	return lifetime, nil
}

// revokeInvite handles DELETE /invites/{id}, and a form's POST.
func (h *handlers) revokeInvite(c *fiber.Ctx) error {
	body, err := request.ParseOptionalBody(c)
	if err != nil {
		return err
	}
	existed, err := h.Accounts.Revoke(c.UserContext(), me(c), c.Params("id"))
	if err != nil {
		return caller.AsError(err)
	}
	// A moderator may repeat a revocation that was not recorded. Other callers may not, because they could fill the audit
	// log.
	if existed || isLeader(c) {
		if err := h.record(c, "", streams.Entry{Action: protocol.ActionRevoke}); err != nil {
			return err
		}
	}
	return done(c, body.IsForm, "/invites")
}
