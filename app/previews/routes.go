package previews

import (
	"encoding/base64"

	"burble/app/caller"
	"burble/app/markup"
	"burble/app/protocol"
	"burble/app/request"

	"github.com/gofiber/fiber/v2"
)

type handlers struct {
	previews *Previews
	allow    func(address, userID string) error
}

// Register adds the route. allow counts a request against the limits of an address and a user.
func (p *Previews) Register(router fiber.Router, allow func(address, userID string) error) {
	h := &handlers{p, allow}
	router.Post("/r/:room/previews", h.postPreview)
}

// shown is a card as the author's page shows it.
type shown struct {
	URL         string        `json:"url"`
	Title       string        `json:"title"`
	Description string        `json:"description,omitempty"`
	Site        string        `json:"site,omitempty"`
	Picture     *shownPicture `json:"picture,omitempty"`
}

// shownPicture has the picture itself as its URL, because there is no message yet.
type shownPicture struct {
	URL    string `json:"url"`
	Width  int    `json:"width"`
	Height int    `json:"height"`
	Color  string `json:"color,omitempty"`
}

// made is the response to POST /r/{room}/previews. Without a card, it is no error: browsers would report that on
// the console, and authors cannot change it.
type made struct {
	Token   string `json:"token,omitempty"`
	Preview *shown `json:"preview"`
	Message string `json:"message,omitempty"`
}

// postPreview handles POST /r/{room}/previews, which makes a card of a page.
func (h *handlers) postPreview(c *fiber.Ctx) error {
	room, err := protocol.CheckRoom(c.Params("room"))
	if err != nil {
		return err
	}
	if err := request.CheckQuery(c); err != nil {
		return err
	}
	body, err := request.ParseBody(c, "url")
	if err != nil {
		return err
	}
	target := markup.Target(body.Fields["url"])
	if target == "" || len(target) > maxURL {
		return protocol.Errorf(protocol.BadField, "url", "%q must be a URL with http: or https:, of at most %d characters.", "url", maxURL)
	}
	from := caller.Of(c)
	if from.User.IsZero() {
		return protocol.NameRequired()
	}
	if err := h.allow(from.Address, from.User.ID); err != nil {
		return err
	}
	card, picture, token, err := h.previews.Make(c.UserContext(), from.User, from.Address, room, target)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
	if token == "" {
		return c.JSON(made{Message: "There is no preview of this page."})
	}
	response := made{Token: token, Preview: &shown{URL: card.URL, Title: card.Title, Description: card.Description, Site: card.Site}}
	if picture != nil {
		response.Preview.Picture = &shownPicture{
			URL:   "data:" + picture.Type + ";base64," + base64.StdEncoding.EncodeToString(picture.Data),
			Width: picture.Width, Height: picture.Height, Color: picture.Color,
		}
	}
	return c.JSON(response)
}
