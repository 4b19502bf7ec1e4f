package pages

import (
	"cmp"

	"burble/app/caller"
	"burble/views"

	"github.com/gofiber/fiber/v2"
)

// newPreview returns the description that other sites show for a link to a page. Those sites require absolute
// URLs.
func (p *Pages) newPreview(c *fiber.Ctx, title, description, path string) *views.Preview {
	origin := caller.Of(c).Origin
	return &views.Preview{
		Title: title, Description: description,
		URL: origin + path, Image: origin + views.StaticPath() + "/icon-512.png",
	}
}

func (p *Pages) previewHome(c *fiber.Ctx) *views.Preview {
	return p.newPreview(c, "Burble", "Chat rooms where nothing gets lost.", "/")
}

// previewRoom describes a room by its topic. Its messages stay out of the preview: their authors may
// delete them, and other sites keep previews.
func (p *Pages) previewRoom(c *fiber.Ctx, room, title, topic, message string) *views.Preview {
	path := "/r/" + room
	if message != "" {
		path += "/" + message
	}
	return p.newPreview(c, title, cmp.Or(topic, "A chat room. Open the link, choose a name, and write."), path)
}
