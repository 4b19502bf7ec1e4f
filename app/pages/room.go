package pages

import (
	"cmp"
	"net/http"
	"net/url"
	"regexp"
	"slices"

	"burble/app/caller"
	"burble/app/plaintext"
	"burble/app/protocol"
	"burble/app/request"
	"burble/streams"
	"burble/views"

	"github.com/gofiber/fiber/v2"
)

// getRoom handles GET /r/{room}, and GET /r/{room}/{id}, the link to a message.
func (p *Pages) getRoom(c *fiber.Ctx) error {
	if target := canonicalURL(c); target != "" {
		return c.Redirect(target, http.StatusMovedPermanently)
	}
	query, highlight, err := parseRoomPage(c)
	if err != nil {
		return err
	}
	return p.renderRoom(c, c.Params("room"), query, views.Room{Page: p.NewPage(c, ""), Highlight: highlight})
}

// respelledRoom matches text that may be a room name in another case or script. Other text, such as a
// room name with punctuation, is more likely a broken link.
var respelledRoom = regexp.MustCompile(`^[\p{L}\p{N}]([\p{L}\p{M}\p{N} _-]*[\p{L}\p{M}\p{N}_-])?$`)

// canonicalURL returns the URL of a room's page if the request spells the room's name in another way,
// such as /r/Lobby or /r/Café. Otherwise it returns "".
func canonicalURL(c *fiber.Ctx) string {
	name, err := url.PathUnescape(c.Params("room"))
	if err != nil || streams.CheckRoom(c.Params("room")) == nil || !respelledRoom.MatchString(name) {
		return ""
	}
	room, err := protocol.RoomName(name)
	if err != nil {
		return ""
	}
	target := "/r/" + room
	if id := c.Params("id"); id != "" {
		target += "/" + id
	}
	if query := c.Request().URI().QueryString(); len(query) > 0 {
		target += "?" + string(query)
	}
	return target
}

// parseRoomPage returns the page of history to show, and the ID of the message to highlight.
func parseRoomPage(c *fiber.Ctx) (query streams.PageQuery, highlight string, err error) {
	if c.Params("id") == "" {
		query, err = request.PageQuery(c, PageSize)
		query.Limit = PageSize
		return query, "", err
	}
	id, err := protocol.CheckID("id", c.Params("id"))
	if err != nil {
		return query, "", &protocol.Error{Code: protocol.NotFound, Message: "There is no such message."}
	}
	return streams.PageQuery{Around: id, Limit: PageSize}, id.String(), nil
}

// renderRoom adds a page of the room's history to the model and renders it.
func (p *Pages) renderRoom(c *fiber.Ctx, name string, query streams.PageQuery, model views.Room) error {
	room, err := protocol.CheckRoom(name)
	if err != nil {
		return err
	}
	ctx, user, address := c.UserContext(), caller.Of(c).User, caller.Of(c).Address
	var page streams.Page
	var links []views.RoomLink
	var here views.RoomLink
	var about streams.About
	release := func() {}
	err = together( // concurrently, because a round trip to Redis may be slow
		func() (err error) { links, here, about, err = p.roomLinks(ctx, user, room); return err },
		func() (err error) {
			reserved, err := p.options.Limits.ReservePage(ctx, address, query.Limit, true)
			if err != nil {
				return err
			}
			release = reserved
			page, err = p.options.Chat.Page(ctx, user, room, query)
			return err
		},
	)
	defer release()
	if err != nil {
		return err
	}
	p.options.Limits.Charge(address, len(links))
	p.options.Limits.Charge(address, page.Examined-query.Limit)
	render, err := p.options.Limits.Render(address, page.Entries)
	if err != nil {
		return err
	}
	if streams.IsHidden(room) {
		changes, err := p.options.Chat.Changes(ctx, user, room, query, page)
		if err != nil {
			return err
		}
		for i := range changes {
			model.Changes = append(model.Changes, views.Change{ID: changes[i].ID.String(), Text: plaintext.Change(&changes[i])})
		}
	}
	model.Title = cmp.Or(here.Title, "#"+room)
	model.RoomTitle = here.Title
	model.Archived, model.Locked, model.Muted = about.Settings.Archived, about.Settings.Locked, about.Own.MutedUntil
	model.Preview = p.previewRoom(c, room, model.Title, here.Topic, model.Highlight)
	links = p.addEmptyRooms(c, links, room, page.AsOf.ID.IsZero())
	model.Rooms, model.Topic, model.Unread = links, here.Topic, here.Unread
	if here.Unread > 0 {
		model.ReadUpTo = here.Read
	}
	model.Room = room
	model.AsOf = page.AsOf.String()
	model.Live = page.Newer.IsZero()
	model.Trimmed = page.Trimmed
	model.Older, model.Newer = idText(page.Older), idText(page.Newer)
	model.TextLimit = protocol.MaxText
	if p.options.FileLimits != nil {
		model.FileLimits = p.options.FileLimits.JSON()
	}
	model.Origin = caller.Of(c).Origin
	model.Previews = p.previewMode(room)
	model.Messages = viewMessages(room, page.Entries, caller.Of(c).User, render)
	isHighlighted := func(message views.Message) bool { return message.ID == model.Highlight }
	if model.Highlight != "" && !slices.ContainsFunc(model.Messages, isHighlighted) {
		c.Status(http.StatusNotFound) // the page still shows where the message would be
		model.Notice = "That message no longer exists."
	}
	return p.Render(c, "room", model)
}
