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

// cardJSON is a card in the response.
type cardJSON struct {
	URL         string       `json:"url"`
	Title       string       `json:"title"`
	Description string       `json:"description,omitempty"`
	Site        string       `json:"site,omitempty"`
	Picture     *pictureJSON `json:"picture,omitempty"`
}

// pictureJSON has a data: URL, because the picture has no other URL until the message is sent.
type pictureJSON struct {
	URL    string `json:"url"`
	Width  int    `json:"width"`
	Height int    `json:"height"`
	Color  string `json:"color,omitempty"`
}

// previewResponse is the response to POST /r/{room}/previews. Without a card, its status is 200 all the same, because
// browsers report errors on the console, and the author could do nothing about them.
type previewResponse struct {
	Token   string    `json:"token,omitempty"`
	Preview *cardJSON `json:"preview"`
	Message string    `json:"message,omitempty"`
}

// postPreview handles POST /r/{room}/previews, which makes a card for a page.
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
		return c.JSON(previewResponse{Message: "No preview is available for this page."})
	}
	response := previewResponse{Token: token, Preview: &cardJSON{URL: card.URL, Title: card.Title, Description: card.Description, Site: card.Site}}
	if picture != nil {
		response.Preview.Picture = &pictureJSON{
			URL:   "data:" + picture.Type + ";base64," + base64.StdEncoding.EncodeToString(picture.Data),
			Width: picture.Width, Height: picture.Height, Color: picture.Color,
		}
	}
	return c.JSON(response)
}
