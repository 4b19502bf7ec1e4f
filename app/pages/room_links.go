package pages

import (
	"cmp"
	"context"
	"time"

	"burble/app/identity"
	"burble/streams"
	"burble/views"
)

func viewLink(room streams.Room) views.RoomLink {
	title, topic := shownTitle(room.Name, room.Title), room.Topic
	if title == "" {
		topic = cmp.Or(room.Title, topic)
	}
	return views.RoomLink{
		Name: room.Name, Title: title, Topic: topic, LastActive: room.Active(), Last: idText(room.Last), Read: idText(room.Read),
		Unread: room.Unread, Mentions: room.Mentions, Present: room.Present,
	}
}

// shownTitle returns the title to show instead of a room's name, or "" for a public room.
func shownTitle(room, title string) string {
	if streams.IsHidden(room) {
		return cmp.Or(title, "Private room")
	}
	return ""
}

// roomLinks returns the links in the sidebar, the link to the current room, and that room's topic and settings. The links
// include the current room even if it is not among the most recently active rooms.
func (p *Pages) roomLinks(ctx context.Context, user identity.User, current string) (links []views.RoomLink, here views.RoomLink, about streams.About, err error) {
	var rooms []streams.Room
	var read streams.ID
	err = together(
		func() (err error) { rooms, err = p.options.Chat.Rooms(ctx, user, sidebarRooms); return err },
		func() (err error) { about, err = p.options.Chat.About(ctx, user, current); return err },
		func() (err error) { read, err = p.options.Chat.ReadUpTo(ctx, user, current); return err },
	)
	if err != nil {
		return nil, here, about, err
	}
	for _, room := range rooms {
		link := viewLink(room)
		if room.Name == current {
			link.Current = true
			here = link
		}
		links = append(links, link)
	}
	if !here.Current {
		here = viewLink(streams.Room{Name: current, Topic: about.Topic, Title: about.Settings.Title})
		here.Current, here.Read, here.LastActive = true, idText(read), time.Time{}
		links = append(links, here)
	}
	return links, here, about, nil
}
