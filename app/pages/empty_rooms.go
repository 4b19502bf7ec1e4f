package pages

import (
	"slices"
	"strings"
	"time"

	"burble/app/caller"
	"burble/streams"
	"burble/views"

	"github.com/gofiber/fiber/v2"
)

// The store does not list rooms without entries. Therefore, a cookie keeps the last maxEmptyRooms rooms
// that were opened by name in this browser, for emptyRoomLifetime.
const (
	maxEmptyRooms     = 10
	emptyRoomLifetime = 7 * 24 * time.Hour
)

// rememberRoom adds a room to the cookie.
func (p *Pages) rememberRoom(c *fiber.Ctx, room string) {
	others := slices.DeleteFunc(p.emptyRooms(c), func(other string) bool { return other == room })
	p.setEmptyRooms(c, append([]string{room}, others...))
}

// addEmptyRooms appends the rooms in the cookie, except the current one, to a list of rooms. It removes from
// the cookie the rooms that are no longer empty: those with entries in the list, and the current room unless
// isCurrentEmpty is true.
func (p *Pages) addEmptyRooms(c *fiber.Ctx, links []views.RoomLink, current string, isCurrentEmpty bool) []views.RoomLink {
	remembered := p.emptyRooms(c)
	empty := slices.DeleteFunc(slices.Clone(remembered), func(room string) bool {
		isListed := func(link views.RoomLink) bool { return link.Name == room && link.Last != "" }
		return room == current && !isCurrentEmpty || slices.ContainsFunc(links, isListed)
	})
	if len(empty) < len(remembered) {
		p.setEmptyRooms(c, empty)
	}
	for _, room := range empty {
		if room != current {
			links = append(links, views.RoomLink{Name: room})
		}
	}
	return links
}

// emptyRooms returns the rooms in the cookie.
func (p *Pages) emptyRooms(c *fiber.Ctx) []string {
	var rooms []string
	for room := range strings.SplitSeq(c.Cookies(p.emptyRoomsCookie(c)), ".") {
		if streams.CheckRoom(room) == nil && !slices.Contains(rooms, room) && len(rooms) < maxEmptyRooms {
			rooms = append(rooms, room)
		}
	}
	return rooms
}

func (p *Pages) setEmptyRooms(c *fiber.Ctx, rooms []string) {
	rooms = rooms[:min(len(rooms), maxEmptyRooms)]
	c.Cookie(&fiber.Cookie{
		Name: p.emptyRoomsCookie(c), Value: strings.Join(rooms, "."), Path: "/", MaxAge: int(emptyRoomLifetime.Seconds()),
		HTTPOnly: true, SameSite: fiber.CookieSameSiteLaxMode, Secure: caller.Of(c).TLS,
	})
}

func (p *Pages) emptyRoomsCookie(c *fiber.Ctx) string {
	return caller.CookieName(caller.Of(c).TLS) + "_empty"
}
