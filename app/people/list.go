package people

import (
	"burble/app/accounts"
	"burble/app/caller"
	"burble/app/negotiate"
	"burble/app/protocol"
	"burble/app/request"
	"burble/streams"
	"burble/views"

	"github.com/gofiber/fiber/v2"
)

const (
	defaultPeople = 200 // on a page of the list
	maxPeople     = 500
)

var (
	auditLink    = streams.Entry{Action: protocol.ActionLink}
	auditSignOut = streams.Entry{Action: protocol.ActionSignOut}
	auditUnban   = streams.Entry{Action: protocol.ActionUnban}
)

// personJSON is a person in the response to GET /people.
type personJSON struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Role   string `json:"role"`
	Here   bool   `json:"here"`             // whether they are in a room that the caller may read
	Banned bool   `json:"banned,omitempty"` // only for moderators and owners
}

// getPeople handles GET /people?skip=…&limit=…
func (h *handlers) getPeople(c *fiber.Ctx) error {
	if err := request.CheckQuery(c, "skip", "limit"); err != nil {
		return err
	}
	skip, err := request.Int(c, "skip", 0, 0, 1<<30)
	if err != nil {
		return err
	}
	limit, err := request.Int(c, "limit", defaultPeople, 1, maxPeople)
	if err != nil {
		return err
	}
	found, err := h.Accounts.People(c.UserContext(), skip, limit)
	if err != nil {
		return caller.AsError(err)
	}
	here, err := h.Chat.PresentUsers(c.UserContext(), caller.Of(c).User)
	if err != nil {
		return err
	}
	if negotiate.PrefersHTML(c) {
		return h.renderPeople(c, skip, limit, found, here)
	}
	list := make([]personJSON, len(found))
	for i, account := range found {
		list[i] = personJSON{account.ID, account.Name, string(account.Role), here[account.ID], account.Banned && isLeader(c)}
	}
	return c.JSON(list)
}

func (h *handlers) renderPeople(c *fiber.Ctx, skip, limit int, found []accounts.Account, here map[string]bool) error {
	model := views.People{Page: h.NewPage(c, "People"), IsLeader: isLeader(c)}
	if len(found) == limit {
		model.Next = skip + limit
	}
	role := accounts.RoleOf(caller.Of(c).User.Rank)
	isAccount := map[string]bool{}
	for _, account := range found {
		isAccount[account.ID] = true
		row := views.Person{User: views.User{ID: account.ID, Name: account.Name}, Role: string(account.Role), IsMe: account.ID == me(c)}
		row.IsBanned, row.IsHere = account.Banned && model.IsLeader, here[account.ID]
		if role == accounts.Owner {
			row.Roles = []string{string(accounts.Member), string(accounts.Moderator), string(accounts.Owner)}
		}
		row.MayAct = !row.IsMe && (role == accounts.Owner && account.Role != accounts.Owner || role == accounts.Moderator && account.Role == accounts.Member)
		model.People = append(model.People, row)
	}
	if model.IsLeader && skip == 0 {
		bans, err := h.Accounts.Bans(c.UserContext())
		if err != nil {
			return caller.AsError(err)
		}
		for _, ban := range bans {
			if h.nameOf(c, ban.User) == "" {
				model.Banned = append(model.Banned, views.Person{User: views.User{ID: ban.User, Name: guestName(ban.User)}, IsBanned: true, Reason: ban.Reason})
			}
		}
	}
	return c.Render("people", model)
}

// guestName returns a label for a guest in a list, because the server does not store the names of guests.
func guestName(id string) string { return "Guest " + id[:8] }

// putRole handles PUT /people/{user}/role, and a form's POST.
func (h *handlers) putRole(c *fiber.Ctx) error {
	body, err := request.ParseOptionalBody(c, "role")
	if err != nil {
		return err
	}
	id, err := user(c)
	if err != nil {
		return err
	}
	role := accounts.Role(body.Fields["role"])
	if !role.IsValid() {
		return protocol.Errorf(protocol.BadField, "role", `"role" must be "member", "moderator" or "owner".`)
	}
	if err := h.Accounts.SetRole(c.UserContext(), me(c), id, role); err != nil {
		return caller.AsError(err)
	}
	if err := h.record(c, id, streams.Entry{Action: protocol.ActionRole, Role: streams.Role(role)}); err != nil {
		return err
	}
	return done(c, body.IsForm, "/people")
}

// putBan handles PUT /people/{user}/ban, and the POST of a form, which can also lift the ban.
func (h *handlers) putBan(c *fiber.Ctx) error {
	body, err := request.ParseOptionalBody(c, "reason", "lift")
	if err != nil {
		return err
	}
	if body.IsForm && body.Fields["lift"] != "" {
		return h.unban(c, true)
	}
	id, err := user(c)
	if err != nil {
		return err
	}
	reason, err := protocol.CheckReason(body.Fields["reason"])
	if err != nil {
		return err
	}
	if err := h.Accounts.Ban(c.UserContext(), me(c), id, reason); err != nil {
		return caller.AsError(err)
	}
	if err := h.record(c, id, streams.Entry{Action: protocol.ActionBan, Reason: reason}); err != nil {
		return err
	}
	return done(c, body.IsForm, "/people")
}

// deleteBan handles DELETE /people/{user}/ban.
func (h *handlers) deleteBan(c *fiber.Ctx) error {
	if _, err := request.ParseOptionalBody(c); err != nil {
		return err
	}
	return h.unban(c, false)
}

func (h *handlers) unban(c *fiber.Ctx, isForm bool) error {
	id, err := user(c)
	if err != nil {
		return err
	}
	if err := h.Accounts.Unban(c.UserContext(), me(c), id); err != nil {
		return caller.AsError(err)
	}
	if err := h.record(c, id, auditUnban); err != nil {
		return err
	}
	return done(c, isForm, "/people")
}

// endTheirSessions handles DELETE /people/{user}/sessions, and the POST of a form. It ends all sessions of a person.
func (h *handlers) endTheirSessions(c *fiber.Ctx) error {
	body, err := request.ParseOptionalBody(c)
	if err != nil {
		return err
	}
	id, err := user(c)
	if err != nil {
		return err
	}
	if err := h.Accounts.SignOut(c.UserContext(), me(c), id); err != nil {
		return caller.AsError(err)
	}
	if id != me(c) {
		if err := h.record(c, id, auditSignOut); err != nil {
			return err
		}
	}
	return done(c, body.IsForm, "/people")
}
