package manage

import (
	"time"

	"burble/app/caller"
	"burble/app/chat"
	"burble/app/identity"
	"burble/app/protocol"
	"burble/streams"
	"burble/views"

	"github.com/gofiber/fiber/v2"
)

const (
	maxRows   = 500 // members listed on the page
	maxPeople = 200 // people that the form for adding members offers
)

// renderMembers renders the page of a room's members. notice is shown at the top.
func (h *handlers) renderMembers(c *fiber.Ctx, room, notice string) error {
	ctx, user := c.UserContext(), caller.Of(c).User
	about, err := h.Chat.About(ctx, user, room)
	if err != nil {
		return err
	}
	members, err := h.Chat.Members(ctx, user, room)
	if err != nil {
		return err
	}
	h.Charge(caller.Of(c).Address, len(members))
	isDirect, isHidden := about.Kind == protocol.DirectRoom, streams.IsHidden(room)
	model := views.Members{
		Page: h.NewPage(c, heading(room, about)), Room: room, Kind: about.Kind, Notice: notice,
		RoomTitle: about.Settings.Title, Archived: about.Settings.Archived, Locked: about.Settings.Locked,
		TitleLimit: protocol.MaxTitle, ReasonLimit: protocol.MaxReason, Total: len(members),
		MayModerate: mayModerate(user, about) && !isDirect, MayInvite: isHidden && !isDirect, MayLeave: isHidden && !isDirect,
		MayPromote: user.Rank == identity.Owner && !isDirect, MayDelete: user.Rank == identity.Owner,
		MayErase: mayModerate(user, about),
	}
	model.Rows = h.rows(user, members, &model)
	if model.MayInvite || model.MayPromote {
		if model.People, err = h.peopleToAdd(c, members); err != nil {
			return err
		}
	}
	return h.Render(c, "members", model)
}

// rows returns the rows of the members whom the page shows. It also sets Total, IsModerator and IsLast of the model.
func (h *handlers) rows(user identity.User, members []chat.Member, model *views.Members) (rows []views.MemberRow) {
	now, moderators := time.Now(), 0
	for _, member := range members {
		isModerator := member.Role == streams.RoomModerator
		if isModerator {
			moderators++
		}
		row := views.MemberRow{
			User: views.User{ID: member.ID, Name: member.Name}, IsModerator: isModerator, Mine: member.ID == user.ID,
			MayRemove: model.MayModerate && (!isModerator || model.MayPromote) && member.ID != user.ID,
			MayMute:   model.MayModerate && member.ID != user.ID,
		}
		if member.MutedUntil.After(now) {
			row.MutedUntil = member.MutedUntil
		}
		if model.Kind == protocol.PublicRoom && !isModerator && row.MutedUntil.IsZero() {
			model.Total--
			continue // a former moderator, or someone whose mute has ended
		}
		if row.Mine && isModerator {
			model.IsModerator = true
		}
		if len(rows) < maxRows {
			rows = append(rows, row)
		}
	}
	model.IsLast = model.IsModerator && moderators == 1
	return rows
}

// peopleToAdd returns accounts that are not members.
func (h *handlers) peopleToAdd(c *fiber.Ctx, members []chat.Member) (people []views.User, err error) {
	all, err := h.Chat.People(c.UserContext(), caller.Of(c).User, maxPeople)
	if err != nil {
		return nil, err
	}
	isMember := make(map[string]bool, len(members))
	for _, member := range members {
		isMember[member.ID] = true
	}
	for _, person := range all {
		if !isMember[person.ID] {
			people = append(people, views.User{ID: person.ID, Name: person.Name})
		}
	}
	return people, nil
}
