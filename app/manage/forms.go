package manage

import (
	"encoding/json"
	"errors"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"burble/app/caller"
	"burble/app/protocol"
	"burble/app/rawjson"
	"burble/app/request"
	"burble/streams"

	"github.com/gofiber/fiber/v2"
)

// isForm reports whether the body is a form.
func isForm(c *fiber.Ctx) bool {
	contentType, _, _ := mime.ParseMediaType(c.Get(fiber.HeaderContentType))
	return contentType == fiber.MIMEApplicationForm
}

// parseForm returns the fields of a form in the format of parseJSON. It omits empty fields, except the title. The field
// "members" may be repeated, and each of its values may contain several IDs.
func parseForm(c *fiber.Ctx, names ...string) (raw map[string]string, err error) {
	if err := request.CheckQuery(c); err != nil {
		return nil, err
	}
	if contentType, _, err := request.ReadBody(c); err != nil || contentType != fiber.MIMEApplicationForm {
		return nil, errors.Join(err, request.Unsupported("Content-Type"))
	}
	raw = make(map[string]string)
	var members []string
	c.Request().PostArgs().VisitAll(func(key, value []byte) {
		name := string(key)
		switch {
		case !slices.Contains(names, name):
			err = protocol.UnknownField(name)
		case !utf8.Valid(value):
			err = protocol.Errorf(protocol.BadField, name, "%q is not UTF-8.", name)
		case name == "members":
			members = append(members, strings.FieldsFunc(string(value), func(r rune) bool { return r == ',' || r == ' ' || r == '\n' || r == '\r' })...)
		case len(value) > 0 || name == "title":
			raw[name] = string(rawjson.AppendString(nil, string(value)))
		}
	})
	if len(members) > 0 {
		list, _ := json.Marshal(members) // never fails, because it contains only strings
		raw["members"] = string(list)
	}
	return raw, err
}

// text returns the text of a field that parseForm returned.
func text(raw map[string]string, name string) string {
	var value string
	json.Unmarshal([]byte(raw[name]), &value) // for a missing field, value stays empty
	return value
}

// respondToForm redirects to next if err is nil. Otherwise, it shows the error on the page of the room's members, if the
// user may see that page.
func (h *handlers) respondToForm(c *fiber.Ctx, room, next string, err error) error {
	if err == nil {
		return c.Redirect(next, http.StatusSeeOther)
	}
	shown := protocol.AsError(err)
	if errors.Is(err, streams.ErrHidden) || shown.Code == protocol.RateLimited || shown.IsServerFault() {
		return err // a client that exceeds its rate must not get a list of members
	}
	c.Status(shown.HTTPStatus())
	if h.renderMembers(c, room, shown.Notice()) != nil {
		return err
	}
	return nil
}

func membersPage(room string) string { return "/r/" + room + "/members" }

// postSettings handles POST /r/{room}/settings, a form that has all settings.
func (h *handlers) postSettings(c *fiber.Ctx) error {
	room, err := parseRoom(c)
	if err != nil {
		return err
	}
	raw, err := parseForm(c, "title", "archived", "locked", "key")
	if err == nil {
		for _, name := range []string{"archived", "locked"} { // a form omits checkboxes that are not checked
			raw[name] = "false"
			if c.Request().PostArgs().Has(name) {
				raw[name] = "true"
			}
		}
		var change protocol.SettingsChange
		if change, err = protocol.ParseSettings(raw); err == nil {
			_, err = h.Chat.ChangeSettings(caller.Of(c).User, caller.Of(c).Address, room, change)
		}
	}
	return h.respondToForm(c, room, membersPage(room), err)
}

// postDeletion handles POST /r/{room}/delete, a form with the name or the title of the room as confirmation.
func (h *handlers) postDeletion(c *fiber.Ctx) error {
	room, err := parseRoom(c)
	if err != nil {
		return err
	}
	raw, err := parseForm(c, "confirm")
	if err == nil {
		err = h.confirmAndDelete(c, room, text(raw, "confirm"))
	}
	return h.respondToForm(c, room, "/", err)
}

func (h *handlers) confirmAndDelete(c *fiber.Ctx, room, typed string) error {
	if caller.Of(c).User.IsZero() {
		return protocol.NameRequired()
	}
	about, err := h.Chat.About(c.UserContext(), caller.Of(c).User, room)
	if err != nil {
		return err
	}
	if typed = strings.TrimSpace(typed); typed == "" || typed != room && typed != heading(room, about) {
		return protocol.Errorf(protocol.BadField, "confirm", "To delete the room, type %s.", heading(room, about))
	}
	return h.Chat.DeleteRoom(caller.Of(c).User, room)
}

// muteDurations are the choices in the form. A century stands for a mute without an end.
var muteDurations = map[string]time.Duration{
	"1h": time.Hour, "1d": 24 * time.Hour, "7d": 7 * 24 * time.Hour, "forever": 100 * 365 * 24 * time.Hour,
}

// postMember handles POST /r/{room}/members, a form with an action on one user.
func (h *handlers) postMember(c *fiber.Ctx) error {
	room, err := parseRoom(c)
	if err != nil {
		return err
	}
	next := membersPage(room)
	raw, err := parseForm(c, "action", "user", "mute", "reason", "key")
	if err == nil {
		action := text(raw, "action")
		if action == "leave" {
			next = "/"
		}
		err = h.doAction(c, room, action, raw)
	}
	return h.respondToForm(c, room, next, err)
}

func (h *handlers) doAction(c *fiber.Ctx, room, action string, raw map[string]string) error {
	from := caller.Of(c)
	userID := from.User.ID
	if action != "leave" {
		var err error
		if userID, err = protocol.CheckUser("user", text(raw, "user")); err != nil {
			return err
		}
	} else if userID == "" {
		return protocol.NameRequired()
	}
	if action == "erase" {
		return h.Chat.RemoveMessages(from.User, room, userID)
	}
	change, err := changeFor(action, raw)
	if err != nil {
		return err
	}
	_, err = h.Chat.ChangeMember(from.User, from.Address, room, userID, change)
	return err
}

// changeFor returns the change for an action of the form.
func changeFor(action string, raw map[string]string) (change protocol.MemberChange, err error) {
	body := map[string]string{}
	for _, name := range []string{"reason", "key"} {
		if raw[name] != "" {
			body[name] = raw[name]
		}
	}
	switch action {
	case "remove", "leave":
		return protocol.ParseRemoval(body)
	case "promote":
		body["role"] = `"moderator"`
	case "demote":
		body["role"] = `"member"`
	case "mute":
		length, known := muteDurations[text(raw, "mute")]
		if !known {
			return change, protocol.Errorf(protocol.BadField, "mute", "Choose how long to mute: 1h, 1d, 7d or forever.")
		}
		body["muted_until"] = `"` + time.Now().Add(length).UTC().Format(time.RFC3339) + `"`
	case "add", "unmute":
	default:
		return change, protocol.Errorf(protocol.BadField, "action", "There is no such action.")
	}
	return protocol.ParseMember(body, time.Now())
}
