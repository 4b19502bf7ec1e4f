package main

import (
	"cmp"
	"html/template"
	"net/http"
	"slices"
	"strings"

	"burble/app/identity"
	"burble/app/markup"
	"burble/app/protocol"
	"burble/streams"
	"burble/views"

	"github.com/gofiber/fiber/v2"
)

const (
	roomsListed = 100
	roomsBeside = 50 // what the page of one room lists, and follows
	pageOf      = 50
)

func (a *App) page(c *fiber.Ctx, title string) views.Page {
	page := views.Page{Title: title, Static: views.StaticPath(), NameLimit: identity.MaxName}
	if theme := c.Cookies("theme"); theme == "light" || theme == "dark" {
		page.Theme = theme
	}
	if user := a.caller(c).user; !user.IsZero() {
		page.User = &views.User{ID: user.ID, Name: user.Name}
	}
	return page
}

// user is the caller as the store knows people; the zero User is nobody.
func (a *App) user(c *fiber.Ctx) streams.User {
	return streams.User(a.caller(c).user)
}

// home is GET /.
func (a *App) home(c *fiber.Ctx) error { return a.renderHome(c, views.Home{Page: a.page(c, "")}) }

// renderHome renders the home page. What else it is to say is in model.
func (a *App) renderHome(c *fiber.Ctx, model views.Home) error {
	rooms, err := a.store.As(a.user(c)).Rooms(c.UserContext(), roomsListed)
	if err != nil {
		return err
	}
	for _, room := range rooms {
		model.Rooms = append(model.Rooms, viewLink(room))
	}
	return a.render(c, "home", model)
}

func viewLink(room streams.Room) views.RoomLink {
	return views.RoomLink{
		Name: room.Name, Topic: room.Topic, LastActive: room.Active(), Last: boundText(room.Last), Read: boundText(room.Read),
		Unread: room.Unread, Mentions: room.Mentions, Present: room.Present,
	}
}

// roomLinks are the rooms beside one, and that one, whether it is among the most
// active or not.
func (a *App) roomLinks(c *fiber.Ctx, current string) (links []views.RoomLink, here views.RoomLink, err error) {
	rooms, err := a.store.As(a.user(c)).Rooms(c.UserContext(), roomsBeside)
	if err != nil {
		return nil, here, err
	}
	for _, room := range rooms {
		link := viewLink(room)
		if room.Name == current {
			link.Current = true
			here = link
		}
		links = append(links, link)
	}
	if here.Current {
		return links, here, nil
	}
	here = views.RoomLink{Name: current, Current: true}
	if here.Topic, err = a.store.As(a.user(c)).Topic(c.UserContext(), current); err != nil {
		return nil, here, err
	}
	read, err := a.store.As(a.user(c)).ReadUpTo(c.UserContext(), current)
	here.Read = boundText(read)
	return append(links, here), here, err
}

// open is GET /open?room=…, the home page's form.
func (a *App) open(c *fiber.Ctx) error {
	room, err := protocol.CheckRoom(c.Query("room"))
	if err != nil {
		c.Status(http.StatusBadRequest)
		return a.renderHome(c, views.Home{
			Page: a.page(c, ""), Error: protocol.AsError(err).Notice(), Find: valid(c.Query("room")),
		})
	}
	return c.Redirect("/r/"+room, http.StatusSeeOther)
}

// room is GET /r/{room}, and GET /r/{room}/{id}.
func (a *App) room(c *fiber.Ctx) error {
	where, highlight, err := a.roomAsked(c)
	if err != nil {
		return err
	}
	return a.renderRoom(c, c.Params("room"), where, views.Room{Page: a.page(c, ""), Highlight: highlight})
}

func (a *App) roomAsked(c *fiber.Ctx) (where streams.Where, highlight string, err error) {
	if c.Params("id") == "" {
		where, err = whereAsked(c)
		where.Limit = pageOf
		return where, "", err
	}
	id, err := protocol.CheckID("id", c.Params("id"))
	if err != nil {
		return where, "", &protocol.Error{Code: protocol.NotFound, Message: "There is no such message."}
	}
	return streams.Where{Around: id, Limit: pageOf}, id.String(), nil
}

// renderRoom renders a room at a place. What else the page is to say is in model.
func (a *App) renderRoom(c *fiber.Ctx, name string, where streams.Where, model views.Room) error {
	room, err := protocol.CheckRoom(name)
	if err != nil {
		return err
	}
	page, err := a.store.As(a.user(c)).Page(c.UserContext(), room, where)
	if err != nil {
		return err
	}
	links, here, err := a.roomLinks(c, room)
	if err != nil {
		return err
	}
	model.Title = "#" + room
	model.Rooms, model.Topic, model.Unread = links, here.Topic, here.Unread
	if here.Unread > 0 {
		model.ReadUpTo = here.Read
	}
	model.Room = room
	model.AsOf = page.AsOf.String()
	model.Live = page.Newer.IsZero()
	model.Older, model.Newer = boundText(page.Older), boundText(page.Newer)
	model.TextLimit = protocol.MaxText
	model.Origin = a.caller(c).origin
	model.Messages = viewMessages(page.Entries, a.caller(c).user)
	named := func(message views.Message) bool { return message.ID == model.Highlight }
	if model.Highlight != "" && !slices.ContainsFunc(model.Messages, named) {
		c.Status(http.StatusNotFound) // The address is the message's; the page is of where it would be.
		model.Notice = "That message is not here any more."
	}
	return a.render(c, "room", model)
}

// render renders a page, with which who comes back now and then stays who they are.
func (a *App) render(c *fiber.Ctx, name string, model any) error {
	if caller := a.caller(c); caller.old {
		a.giveToken(c, caller.user)
	}
	c.Set(fiber.HeaderCacheControl, "private, no-cache") // not no-store: going back is instant
	return c.Render(name, model)
}

func boundText(id streams.ID) string {
	if id.IsZero() {
		return ""
	}
	return id.String()
}

// viewMessages are messages as the page shows them to one guest.
func viewMessages(entries []streams.Entry, user identity.User) []views.Message {
	messages := make([]views.Message, len(entries))
	places := make(map[streams.ID]*streams.Entry, len(entries))
	for i := range entries {
		entry := &entries[i]
		places[entry.ID] = entry
		messages[i] = viewMessage(entry, user)
		if answered := places[entry.ReplyTo]; answered != nil && !answered.Deleted {
			messages[i].ReplyAuthor = answered.User.Name
			messages[i].ReplyText = firstLine(markup.Text(markup.HTML(answered)))
		}
	}
	return messages
}

func viewMessage(entry *streams.Entry, user identity.User) views.Message {
	message := views.Message{
		ID: entry.ID.String(), Key: entry.Key, N: entry.N, User: views.User(entry.User),
		Time: entry.ID.Time(), ReplyTo: boundText(entry.ReplyTo), Edited: boundText(entry.Edited),
		Deleted: entry.Deleted, Unreadable: entry.Kind == streams.Unreadable,
	}
	if !entry.Deleted {
		message.HTML = template.HTML(markup.HTML(entry))
	}
	for emoji, users := range entry.Reactions {
		message.Reactions = append(message.Reactions, viewReaction(emoji, users, user))
	}
	sortReactions(message.Reactions)
	return message
}

func viewReaction(emoji string, users []string, user identity.User) views.Reaction {
	mine := !user.IsZero() && slices.Contains(users, user.ID)
	return views.Reaction{Emoji: emoji, Users: users, Mine: mine}
}

// sortReactions puts the most chosen first: a map has no order.
func sortReactions(reactions []views.Reaction) {
	slices.SortFunc(reactions, func(a, b views.Reaction) int {
		return cmp.Or(cmp.Compare(len(b.Users), len(a.Users)), cmp.Compare(a.Emoji, b.Emoji))
	})
}

// firstLine is what a reply shows of what it answers.
func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	if runes := []rune(line); len(runes) > 120 {
		return string(runes[:120]) + "…"
	}
	return line
}
