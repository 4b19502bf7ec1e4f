package main

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"burble/app/protocol"
	"burble/streams"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
)

// idempotencyKey is the header with a message's key.
const idempotencyKey = "Idempotency-Key"

// post is POST /r/{room}/messages.
func (a *App) post(c *fiber.Ctx) error {
	entry, form, err := a.posted(c)
	if err != nil {
		return err
	}
	room := c.Params("room")
	if form {
		c.Locals(formKey, entry.Key)
	}
	stored, err := a.append(a.caller(c).user, room, entry)
	if err != nil {
		return err
	}
	if form {
		return c.Redirect("/r/"+room, http.StatusSeeOther)
	}
	if !stored.Repeated {
		c.Status(http.StatusCreated)
	}
	c.Set(fiber.HeaderLocation, "/r/"+room+"/"+stored.Cursor.ID.String())
	return c.JSON(fiber.Map{"id": stored.Cursor.ID.String(), "cursor": stored.Cursor.String(), "key": entry.Key})
}

// posted reads the message that a request asks to store.
func (a *App) posted(c *fiber.Ctx) (entry streams.Entry, form bool, err error) {
	caller := a.caller(c)
	if _, err := protocol.CheckRoom(c.Params("room")); err != nil {
		return entry, false, err
	}
	if err := onlyQueries(c); err != nil {
		return entry, false, err
	}
	asked, err := bodyOf(c, "text", "reply_to", "key")
	if err != nil {
		return entry, asked.form, err
	}
	entry = streams.Entry{Kind: streams.Message, Key: uuid.NewString()}
	field, key, given := "key", "", false
	if key, given = asked.fields[field]; len(c.Request().Header.PeekAll(idempotencyKey)) > 0 {
		// The header is a structured string, in quotes, to some (the IETF's draft).
		field, key, given = idempotencyKey, strings.Trim(c.Get(idempotencyKey), `"`), true
	}
	if given {
		if entry.Key, err = protocol.CheckKey(field, key); err != nil {
			return entry, asked.form, err
		}
	}
	if entry.Text, err = protocol.CheckText(strings.ReplaceAll(asked.fields["text"], "\r\n", "\n")); err != nil {
		return entry, asked.form, err
	}
	if reply, given := asked.fields["reply_to"]; given {
		if entry.ReplyTo, err = protocol.CheckID("reply_to", reply); err != nil {
			return entry, asked.form, err
		}
	}
	if err := a.allowMessage(caller.user, time.Now()); err != nil {
		return entry, asked.form, err
	}
	return entry, asked.form, nil
}

// messages is GET /r/{room}/messages: a page of history, folded.
func (a *App) messages(c *fiber.Ctx) error {
	room, err := protocol.CheckRoom(c.Params("room"))
	if err != nil {
		return err
	}
	if err := onlyQueries(c, "before", "after", "around", "at", "limit", "html"); err != nil {
		return err
	}
	where, err := whereAsked(c)
	if err != nil {
		return err
	}
	html, err := queryBool(c, "html")
	if err != nil {
		return err
	}
	if err := a.limitEntries(c, where.Limit); err != nil {
		return err
	}
	page, err := a.store.As(a.user(c)).Page(c.UserContext(), room, where)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSONCharsetUTF8)
	c.Set(fiber.HeaderCacheControl, "no-store")
	return c.Send(protocol.EncodePage(room, page, html))
}

// whereAsked reads which page a request asks for.
func whereAsked(c *fiber.Ctx) (where streams.Where, err error) {
	if where.Limit, err = queryInt(c, "limit", pageOf, 1, protocol.MaxLast); err != nil {
		return where, err
	}
	var given []string
	for name, place := range map[string]*streams.ID{
		"before": &where.Before, "after": &where.After, "around": &where.Around,
	} {
		text := c.Query(name)
		if text == "" {
			continue
		}
		given = append(given, name)
		cursor, err := protocol.CheckCursor(name, text)
		if err != nil {
			return where, err
		}
		*place = cursor.ID
	}
	if text := c.Query("at"); text != "" {
		given = append(given, "at")
		if where.At, err = parseMoment(text); err != nil {
			return where, err
		}
	}
	if len(given) > 1 {
		slices.Sort(given)
		return where, protocol.Errorf(protocol.BadField, given[1], "Only one of before, after, around and at, not %s.", strings.Join(given, " and "))
	}
	if where.Before.IsZero() && c.Query("before") != "" {
		return where, protocol.Errorf(protocol.BadField, "before", "Nothing is before 0-0.")
	}
	if where.After.IsZero() && c.Query("after") != "" || where.Around.IsZero() && c.Query("around") != "" {
		where.Around = streams.ID{Seq: 1} // the very beginning: the zero Where is the newest
	}
	return where, nil
}

// moments are the ways to write a time in an address: RFC 3339, seconds or not, and as
// an <input type="datetime-local"> or "date" gives it, which is UTC then.
var moments = []string{time.RFC3339Nano, "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02"}

func parseMoment(text string) (time.Time, error) {
	for _, layout := range moments {
		if moment, err := time.Parse(layout, text); err == nil && moment.Year() >= 1970 {
			return moment, nil
		}
	}
	return time.Time{}, protocol.Errorf(protocol.BadField, "at", "%q must be a time such as 2026-03-01T09:00 (UTC), or with an offset.", "at")
}

// rooms is GET /rooms: what there is, with what the user has not read of it.
func (a *App) rooms(c *fiber.Ctx) error {
	if err := onlyQueries(c); err != nil {
		return err
	}
	rooms, err := a.store.As(a.user(c)).Rooms(c.UserContext(), roomsListed)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSONCharsetUTF8)
	c.Set(fiber.HeaderCacheControl, "no-store")
	return c.Send(protocol.EncodeRooms(rooms))
}
