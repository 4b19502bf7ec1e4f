package pages

import (
	"net/http"

	"burble/app/caller"
	"burble/app/negotiate"
	"burble/app/protocol"
	"burble/views"

	"github.com/gofiber/fiber/v2"
)

const maxPeople = 200 // in the list of people to invite

// getHome handles GET /, the home page.
func (p *Pages) getHome(c *fiber.Ctx) error {
	return p.renderHome(c, views.Home{Page: p.NewPage(c, "")})
}

// renderHome adds the rooms to the model and renders the home page.
func (p *Pages) renderHome(c *fiber.Ctx, model views.Home) error {
	rooms, err := p.options.Chat.Rooms(c.UserContext(), caller.Of(c).User, MaxRooms)
	if err != nil {
		return err
	}
	p.options.Limits.Charge(caller.Of(c).Address, len(rooms))
	if user := caller.Of(c).User; model.HasAccount {
		people, err := p.options.Chat.People(c.UserContext(), user, maxPeople)
		if err != nil {
			return err
		}
		model.TitleLimit = protocol.MaxTitle
		for _, person := range people {
			model.People = append(model.People, views.User{ID: person.ID, Name: person.Name})
		}
	}
	model.Preview, model.IsIndexed = p.previewHome(c), true
	for _, room := range rooms {
		model.Rooms = append(model.Rooms, viewLink(room))
	}
	model.Rooms = p.addEmptyRooms(c, model.Rooms, "", false)
	return p.Render(c, "home", model)
}

// getOpen handles GET /open?room=…, the form for opening or creating a room. It redirects a browser to the
// room whose name is derived from the text, but returns the name to a script.
func (p *Pages) getOpen(c *fiber.Ctx) error {
	wantsName := negotiate.PreferredType(c, fiber.MIMETextHTML, fiber.MIMEApplicationJSON) == fiber.MIMEApplicationJSON
	room, err := protocol.RoomName(validText(c.Query("room")))
	switch {
	case err != nil && wantsName:
		return err
	case err != nil:
		c.Status(http.StatusBadRequest)
		return p.renderHome(c, views.Home{
			Page: p.NewPage(c, ""), Error: protocol.AsError(err).Notice(), RoomInput: validText(c.Query("room")),
		})
	case wantsName:
		c.Set(fiber.HeaderCacheControl, "no-store")
		return c.JSON(map[string]string{"room": room})
	}
	p.rememberRoom(c, room)
	return c.Redirect("/r/"+room, http.StatusSeeOther)
}
