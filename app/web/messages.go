package web

import (
	"net/http"
	"strings"

	"burble/app/caller"
	"burble/app/pages"
	"burble/app/protocol"
	"burble/app/request"
	"burble/streams"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
)

// idempotencyKey is the header that may carry a message's key.
const idempotencyKey = "Idempotency-Key"

// postMessage handles POST /r/{room}/messages, which stores a message.
func (s *Server) postMessage(c *fiber.Ctx) error {
	entry, preview, isForm, err := parseMessage(c)
	if err != nil {
		return err
	}
	room := c.Params("room")
	if isForm {
		c.Locals(formKey, entry.Key)
	}
	if err := s.options.Previews.Attach(&entry, caller.Of(c).User, room, preview); err != nil {
		return err
	}
	stored, err := s.chat.Append(caller.Of(c).User, caller.Of(c).Address, room, entry)
	if err != nil {
		return err
	}
	if isForm {
		return c.Redirect("/r/"+room, http.StatusSeeOther)
	}
	if !stored.Repeated {
		c.Status(http.StatusCreated)
	}
	c.Set(fiber.HeaderLocation, "/r/"+room+"/"+stored.Cursor.ID.String())
	return c.JSON(posted{stored.Cursor.ID.String(), stored.Cursor.String(), entry.Key})
}

// posted is the response to POST /r/{room}/messages.
type posted struct {
	ID     string `json:"id"`
	Cursor string `json:"cursor"`
	Key    string `json:"key"`
}

// parseMessage parses and checks the message in a request. It also returns the token of the message's link preview.
func parseMessage(c *fiber.Ctx) (entry streams.Entry, preview string, isForm bool, err error) {
	if _, err := protocol.CheckRoom(c.Params("room")); err != nil {
		return entry, "", false, err
	}
	if err := request.CheckQuery(c); err != nil {
		return entry, "", false, err
	}
	body, err := request.ParseBody(c, "text", "files", "reply_to", "key", "preview")
	if err != nil {
		return entry, "", body.IsForm, err
	}
	entry = streams.Entry{Kind: streams.Message, Key: uuid.NewString()}
	field, key, given := "key", "", false
	if key, given = body.Fields[field]; len(c.Request().Header.PeekAll(idempotencyKey)) > 0 {
		// Some clients send a quoted string, as the IETF draft of this header requires.
		field, key, given = idempotencyKey, strings.Trim(c.Get(idempotencyKey), `"`), true
	}
	if given {
		if entry.Key, err = protocol.CheckKey(field, key); err != nil {
			return entry, "", body.IsForm, err
		}
	}
	if entry.Text, entry.Files, err = parseContent(body.Fields); err != nil {
		return entry, "", body.IsForm, err
	}
	if reply, given := body.Fields["reply_to"]; given {
		if entry.ReplyTo, err = protocol.CheckID("reply_to", reply); err != nil {
			return entry, "", body.IsForm, err
		}
	}
	return entry, body.Fields["preview"], body.IsForm, nil
}

// parseContent returns the text and the files of a message.
func parseContent(fields map[string]string) (text string, files []streams.File, err error) {
	if list, given := fields["files"]; given {
		if files, err = protocol.ParseFiles(list); err != nil {
			return "", nil, err
		}
	}
	if len(files) > 0 {
		text, err = protocol.CheckCaption(fields["text"])
	} else {
		text, err = protocol.CheckText(fields["text"])
	}
	return text, files, err
}

// getMessages handles GET /r/{room}/messages, which returns a page of history in its current state.
func (s *Server) getMessages(c *fiber.Ctx) error {
	room, err := protocol.CheckRoom(c.Params("room"))
	if err != nil {
		return err
	}
	if err := request.CheckQuery(c, "before", "after", "around", "at", "limit", "html"); err != nil {
		return err
	}
	query, err := request.PageQuery(c, pages.PageSize)
	if err != nil {
		return err
	}
	html, err := request.Bool(c, "html")
	if err != nil {
		return err
	}
	if err := s.limits.AllowEntries(caller.Of(c).Address, query.Limit); err != nil {
		return err
	}
	release, err := s.limits.ReservePage(c.UserContext(), caller.Of(c).Address, query.Limit, html)
	if err != nil {
		return err
	}
	defer release()
	page, err := s.chat.Page(c.UserContext(), caller.Of(c).User, room, query)
	if err != nil {
		return err
	}
	s.limits.Charge(caller.Of(c).Address, page.Examined-query.Limit)
	var render protocol.Render
	if html {
		if render, err = s.limits.Render(caller.Of(c).Address, page.Entries); err != nil {
			return err
		}
	}
	var changes []streams.Entry
	if streams.IsHidden(room) {
		if changes, err = s.chat.Changes(c.UserContext(), caller.Of(c).User, room, query, page); err != nil {
			return err
		}
	}
	c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSONCharsetUTF8)
	c.Set(fiber.HeaderCacheControl, "no-store")
	return c.Send(protocol.EncodePage(room, page, changes, render))
}

// getRooms handles GET /rooms, which returns the most recently active rooms with the user's unread counts.
func (s *Server) getRooms(c *fiber.Ctx) error {
	if err := request.CheckQuery(c); err != nil {
		return err
	}
	rooms, err := s.chat.Rooms(c.UserContext(), caller.Of(c).User, pages.MaxRooms)
	if err != nil {
		return err
	}
	s.limits.Charge(caller.Of(c).Address, len(rooms))
	c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSONCharsetUTF8)
	c.Set(fiber.HeaderCacheControl, "no-store")
	return c.Send(protocol.EncodeRooms(rooms))
}
