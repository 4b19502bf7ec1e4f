package pages

import (
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"

	"burble/app/peer"
	"burble/app/protocol"
	"burble/streams"
	"burble/views"
)

// MessagesPath is the route that the form of a room posts messages to.
const MessagesPath = "/r/:room/messages"

// RenderForm renders the page of a refused form again, with what the user typed. It returns an error
// unless the form's own handler refused the form, because a client that exceeds its rate must not get a
// page of history.
func (p *Pages) RenderForm(c *fiber.Ctx, refused *protocol.Error) error {
	page := p.NewPage(c, "")
	newest := streams.PageQuery{Limit: PageSize}
	switch c.Route().Path {
	case MessagesPath:
		return p.renderRoom(c, c.Params("room"), newest, views.Room{Page: page, Notice: refused.Notice(), Draft: FormValue(c, "text")})
	case "/session":
		page.NameInput = FormValue(c, "name")
		if room := roomOfPath(peer.LocalPath(FormValue(c, "next"))); room != "" {
			return p.renderRoom(c, room, newest, views.Room{Page: page, Notice: refused.Notice()})
		}
		return p.renderHome(c, views.Home{Page: page, Error: refused.Notice()})
	}
	return fiber.ErrNotFound
}

// FormValue returns what the user typed, to refill the form after an error. Fiber's FormValue would
// decompress the body.
func FormValue(c *fiber.Ctx, field string) string {
	return validText(string(c.Request().PostArgs().Peek(field)))
}

// validText returns the text with invalid UTF-8 replaced by U+FFFD.
func validText(text string) string { return strings.ToValidUTF8(text, "\ufffd") }

// roomOfPath returns the room in a path such as /r/lobby, or "" if there is none.
func roomOfPath(path string) string {
	target, err := url.Parse(path)
	if err != nil {
		return ""
	}
	name, ok := strings.CutPrefix(target.Path, "/r/")
	if !ok {
		return ""
	}
	name, _, _ = strings.Cut(name, "/")
	room, err := protocol.CheckRoom(name)
	if err != nil {
		return ""
	}
	return room
}
