package web

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"

	"burble/app/caller"
	"burble/app/identity"
	"burble/app/negotiate"
	"burble/app/plaintext"
	"burble/app/protocol"
	"burble/streams"
	"burble/streams/fold"
	"burble/views"

	"github.com/gofiber/fiber/v2"
)

const (
	maxRooms     = 100 // rooms in a list
	sidebarRooms = 50  // rooms in the sidebar, all of which the page follows
	maxPeople    = 200 // people to choose from
	pageSize     = 50  // messages on a page
)

// newPage returns the fields that every page has.
func (s *Server) newPage(c *fiber.Ctx, title string) views.Page {
	page := views.Page{
		Title: title, Static: views.StaticPath(), NameLimit: identity.MaxName,
		Host: caller.Host(c), Origins: strings.Join(s.options.Origins, " "),
	}
	if theme := c.Cookies("theme"); theme == "light" || theme == "dark" {
		page.Theme = theme
	}
	if user := caller.Of(c).User; !user.IsZero() {
		page.User = &views.User{ID: user.ID, Name: user.Name}
		page.HasAccount = caller.Of(c).Session != nil
		page.Folded = fold.String(user.Name)
	} else if name := lostName(c); name != "" {
		page.NameInput, page.NameNotice = name, cookiesBlocked
	}
	return page
}

// getHome handles GET /, the home page.
func (s *Server) getHome(c *fiber.Ctx) error {
	return s.renderHome(c, views.Home{Page: s.newPage(c, "")})
}

// renderHome adds the rooms to the model and renders the home page.
func (s *Server) renderHome(c *fiber.Ctx, model views.Home) error {
	rooms, err := s.chat.Rooms(c.UserContext(), caller.Of(c).User, maxRooms)
	if err != nil {
		return err
	}
	s.limits.Charge(caller.Of(c).Address, len(rooms))
	if user := caller.Of(c).User; model.HasAccount {
		people, err := s.chat.People(c.UserContext(), user, maxPeople)
		if err != nil {
			return err
		}
		model.TitleLimit = protocol.MaxTitle
		for _, person := range people {
			model.People = append(model.People, views.User{ID: person.ID, Name: person.Name})
		}
	}
	model.Preview, model.IsIndexed = s.previewHome(c), true
	for _, room := range rooms {
		model.Rooms = append(model.Rooms, viewLink(room))
	}
	model.Rooms = s.addEmptyRooms(c, model.Rooms, "", false)
	return s.render(c, "home", model)
}

// together calls the functions concurrently, waits for all of them, and returns their errors. If one
// panics, so does together.
func together(calls ...func() error) error {
	errs, panics := make([]error, len(calls)), make([]any, len(calls))
	var running sync.WaitGroup
	for i, call := range calls {
		running.Go(func() {
			defer func() { panics[i] = recover() }()
			errs[i] = call()
		})
	}
	running.Wait()
	for _, cause := range panics {
		if cause != nil {
			panic(cause)
		}
	}
	return errors.Join(errs...)
}

// getOpen handles GET /open?room=…, the form for opening or creating a room. It redirects a form to the
// room that the text means, but returns the room's name to a script.
func (s *Server) getOpen(c *fiber.Ctx) error {
	wantsName := negotiate.PreferredType(c, fiber.MIMETextHTML, fiber.MIMEApplicationJSON) == fiber.MIMEApplicationJSON
	room, err := protocol.RoomName(validText(c.Query("room")))
	switch {
	case err != nil && wantsName:
		return err
	case err != nil:
		c.Status(http.StatusBadRequest)
		return s.renderHome(c, views.Home{
			Page: s.newPage(c, ""), Error: protocol.AsError(err).Notice(), RoomInput: validText(c.Query("room")),
		})
	case wantsName:
		c.Set(fiber.HeaderCacheControl, "no-store")
		return c.JSON(map[string]string{"room": room})
	}
	s.rememberRoom(c, room)
	return c.Redirect("/r/"+room, http.StatusSeeOther)
}

// getRoom handles GET /r/{room}, and GET /r/{room}/{id}, the link to a message.
func (s *Server) getRoom(c *fiber.Ctx) error {
	if target := canonicalURL(c); target != "" {
		return c.Redirect(target, http.StatusMovedPermanently)
	}
	where, highlight, err := parseRoomPage(c)
	if err != nil {
		return err
	}
	return s.renderRoom(c, c.Params("room"), where, views.Room{Page: s.newPage(c, ""), Highlight: highlight})
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
func parseRoomPage(c *fiber.Ctx) (where streams.Where, highlight string, err error) {
	if c.Params("id") == "" {
		where, err = parseWhere(c)
		where.Limit = pageSize
		return where, "", err
	}
	id, err := protocol.CheckID("id", c.Params("id"))
	if err != nil {
		return where, "", &protocol.Error{Code: protocol.NotFound, Message: "There is no such message."}
	}
	return streams.Where{Around: id, Limit: pageSize}, id.String(), nil
}

// renderRoom adds a page of the room's history to the model and renders it.
func (s *Server) renderRoom(c *fiber.Ctx, name string, where streams.Where, model views.Room) error {
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
		func() (err error) { links, here, about, err = s.roomLinks(ctx, user, room); return err },
		func() (err error) {
			reserved, err := s.limits.ReservePage(ctx, address, where.Limit, true)
			if err != nil {
				return err
			}
			release = reserved
			page, err = s.chat.Page(ctx, user, room, where)
			return err
		},
	)
	defer release()
	if err != nil {
		return err
	}
	s.limits.Charge(address, len(links))
	s.limits.Charge(address, page.Examined-where.Limit)
	render, err := s.limits.Render(address, page.Entries)
	if err != nil {
		return err
	}
	if streams.IsHidden(room) {
		changes, err := s.chat.Changes(ctx, user, room, page)
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
	model.Preview = s.previewRoom(c, room, model.Title, here.Topic, model.Highlight)
	links = s.addEmptyRooms(c, links, room, page.AsOf.ID.IsZero())
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
	if s.fileLimits != nil {
		model.FileLimits = s.fileLimits.JSON()
	}
	model.Origin = caller.Of(c).Origin
	model.Previews = s.previewMode(room)
	model.Messages = viewMessages(room, page.Entries, caller.Of(c).User, render)
	isHighlighted := func(message views.Message) bool { return message.ID == model.Highlight }
	if model.Highlight != "" && !slices.ContainsFunc(model.Messages, isHighlighted) {
		c.Status(http.StatusNotFound) // the page still shows where the message would be
		model.Notice = "That message no longer exists."
	}
	return s.render(c, "room", model)
}

// render renders a page.
func (s *Server) render(c *fiber.Ctx, name string, model any) error {
	s.callers.Renew(c)
	c.Set(fiber.HeaderCacheControl, "private, no-cache") // no-store would slow down the browser's Back button
	return c.Render(name, model)
}
