package manage

import (
	"cmp"
	"net/http"
	"strings"
	"time"

	"burble/app/caller"
	"burble/app/chat"
	"burble/app/identity"
	"burble/app/negotiate"
	"burble/app/protocol"
	"burble/app/rawjson"
	"burble/app/request"
	"burble/streams"
	"burble/views"

	"github.com/gofiber/fiber/v2"
)

// Options configure the routes.
type Options struct {
	Chat *chat.Service
	// NewPage returns the fields that every page has.
	NewPage func(c *fiber.Ctx, title string) views.Page
	// Render renders a page with the template of the given name.
	Render func(c *fiber.Ctx, template string, model any) error
	// Charge counts a response with a number of items against the limit of the address.
	Charge func(address string, items int)
}

type handlers struct{ Options }

// Register adds the routes.
func Register(router fiber.Router, options Options) {
	h := &handlers{options}
	router.Post("/rooms", h.postRoom)
	router.Patch("/r/:room", h.patchRoom)
	router.Delete("/r/:room", h.deleteRoom)
	router.Post("/r/:room/settings", h.postSettings)
	router.Post("/r/:room/delete", h.postDeletion)
	router.Get("/r/:room/members", negotiate.Response, h.getMembers)
	router.Post("/r/:room/members", h.postMember)
	router.Put("/r/:room/members/:user", h.putMember)
	router.Delete("/r/:room/members/:user", h.deleteMember)
	router.Delete("/r/:room/members/:user/messages", h.deleteMessages)
	router.Delete("/people/:user/messages", h.deleteAllMessages)
}

// idempotencyKey is the header that may carry the key of a request.
const idempotencyKey = "Idempotency-Key"

// parseJSON returns the members of the JSON object in the body. The body may be empty if mayBeEmpty is set. The header
// Idempotency-Key overrides the member "key".
func parseJSON(c *fiber.Ctx, mayBeEmpty bool) (raw map[string]string, err error) {
	if err := request.CheckQuery(c); err != nil {
		return nil, err
	}
	contentType, data, err := request.ReadBody(c)
	switch {
	case err != nil:
		return nil, err
	case mayBeEmpty && len(data) == 0:
		raw = make(map[string]string)
	case contentType != fiber.MIMEApplicationJSON:
		return nil, request.Unsupported("Content-Type")
	default:
		var ok bool
		if raw, ok = rawjson.Members(data); !ok {
			return nil, protocol.Errorf(protocol.BadFrame, "", "The body must be a JSON object.")
		}
	}
	if len(c.Request().Header.PeekAll(idempotencyKey)) > 0 {
		key, err := protocol.CheckKey(idempotencyKey, strings.Trim(c.Get(idempotencyKey), `"`))
		if err != nil {
			return nil, err
		}
		raw["key"] = string(rawjson.AppendString(nil, key))
	}
	return raw, nil
}

// parseRoom returns the room in the path.
func parseRoom(c *fiber.Ctx) (string, error) { return protocol.CheckRoom(c.Params("room")) }

// parseUser returns the room, if the path has one, and the user in the path.
func parseUser(c *fiber.Ctx) (room, user string, err error) {
	if c.Params("room") != "" {
		if room, err = parseRoom(c); err != nil {
			return "", "", err
		}
	}
	user, err = protocol.CheckUser("user", c.Params("user"))
	return room, user, err
}

// storedResponse is the response to a request that stores an entry.
type storedResponse struct {
	ID     string `json:"id"`
	Cursor string `json:"cursor"`
}

func sendStored(c *fiber.Ctx, stored streams.Stored) error {
	cursor := stored.Cursor.ID.String()
	if stored.Cursor.Epoch != "" {
		cursor = stored.Cursor.String()
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
	return c.JSON(storedResponse{stored.Cursor.ID.String(), cursor})
}

// postRoom handles POST /rooms, which creates a room.
func (h *handlers) postRoom(c *fiber.Ctx) error {
	isForm := isForm(c)
	parse := func() (map[string]string, error) { return parseJSON(c, false) }
	if isForm {
		parse = func() (map[string]string, error) { return parseForm(c, "kind", "key", "room", "title", "members") }
	}
	raw, err := parse()
	if err != nil {
		return err
	}
	wanted, err := protocol.ParseNewRoom(raw)
	if err != nil {
		return err
	}
	from := caller.Of(c)
	room, isNew, err := h.Chat.CreateRoom(from.User, from.Address, wanted)
	switch {
	case err != nil:
		return err
	case isForm:
		return c.Redirect("/r/"+room, http.StatusSeeOther)
	case isNew:
		c.Status(http.StatusCreated)
	}
	c.Set(fiber.HeaderLocation, "/r/"+room)
	c.Set(fiber.HeaderCacheControl, "no-store")
	return c.JSON(map[string]string{"room": room})
}

// patchRoom handles PATCH /r/{room}, which changes the settings of a room.
func (h *handlers) patchRoom(c *fiber.Ctx) error {
	room, err := parseRoom(c)
	if err != nil {
		return err
	}
	raw, err := parseJSON(c, false)
	if err != nil {
		return err
	}
	change, err := protocol.ParseSettings(raw)
	if err != nil {
		return err
	}
	stored, err := h.Chat.ChangeSettings(caller.Of(c).User, caller.Of(c).Address, room, change)
	if err != nil {
		return err
	}
	return sendStored(c, stored)
}

// deleteRoom handles DELETE /r/{room}.
func (h *handlers) deleteRoom(c *fiber.Ctx) error {
	room, err := parseRoom(c)
	if err != nil {
		return err
	}
	if err := request.CheckQuery(c); err != nil {
		return err
	}
	if err := h.Chat.DeleteRoom(caller.Of(c).User, room); err != nil {
		return err
	}
	return c.SendStatus(http.StatusNoContent)
}

// getMembers handles GET /r/{room}/members, which returns the members as JSON or as a page.
func (h *handlers) getMembers(c *fiber.Ctx) error {
	room, err := parseRoom(c)
	if err != nil {
		return err
	}
	if negotiate.PrefersHTML(c) {
		return h.renderMembers(c, room, "")
	}
	if err := request.CheckQuery(c); err != nil {
		return err
	}
	members, err := h.Chat.Members(c.UserContext(), caller.Of(c).User, room)
	if err != nil {
		return err
	}
	h.Charge(caller.Of(c).Address, len(members))
	users, shown := make([]protocol.User, len(members)), make([]streams.Member, len(members))
	for i, member := range members {
		users[i], shown[i] = protocol.User{ID: member.ID, Name: member.Name}, member.Member
	}
	c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSONCharsetUTF8)
	c.Set(fiber.HeaderCacheControl, "no-store")
	return c.Send(protocol.EncodeMembers(users, shown, time.Now()))
}

// putMember handles PUT /r/{room}/members/{user}, which adds or changes a member.
func (h *handlers) putMember(c *fiber.Ctx) error {
	return h.changeMember(c, func(raw map[string]string) (protocol.MemberChange, error) {
		return protocol.ParseMember(raw, time.Now())
	})
}

// deleteMember handles DELETE /r/{room}/members/{user}, which removes a member.
func (h *handlers) deleteMember(c *fiber.Ctx) error {
	return h.changeMember(c, protocol.ParseRemoval)
}

func (h *handlers) changeMember(c *fiber.Ctx, parse func(raw map[string]string) (protocol.MemberChange, error)) error {
	room, user, err := parseUser(c)
	if err != nil {
		return err
	}
	raw, err := parseJSON(c, true)
	if err != nil {
		return err
	}
	change, err := parse(raw)
	if err != nil {
		return err
	}
	stored, err := h.Chat.ChangeMember(caller.Of(c).User, caller.Of(c).Address, room, user, change)
	if err != nil {
		return err
	}
	return sendStored(c, stored)
}

// deleteMessages handles DELETE /r/{room}/members/{user}/messages, which starts to remove all messages of the user in the
// room.
func (h *handlers) deleteMessages(c *fiber.Ctx) error {
	room, user, err := parseUser(c)
	if err != nil {
		return err
	}
	return h.startRemoval(c, room, user)
}

// deleteAllMessages handles DELETE /people/{user}/messages, which does the same in all rooms.
func (h *handlers) deleteAllMessages(c *fiber.Ctx) error {
	_, user, err := parseUser(c)
	if err != nil {
		return err
	}
	return h.startRemoval(c, "", user)
}

func (h *handlers) startRemoval(c *fiber.Ctx, room, user string) error {
	if err := request.CheckQuery(c); err != nil {
		return err
	}
	if err := h.Chat.RemoveMessages(caller.Of(c).User, room, user); err != nil {
		return err
	}
	return c.SendStatus(http.StatusAccepted)
}

// heading returns the heading of a page about the room.
func heading(room string, about streams.About) string {
	if streams.IsHidden(room) {
		return cmp.Or(about.Settings.Title, "Private room")
	}
	return "#" + room
}

// mayModerate reports whether the user moderates the room.
func mayModerate(user identity.User, about streams.About) bool {
	return user.Rank >= identity.Moderator || about.Own.Role == streams.RoomModerator
}
