package socket

import (
	"context"
	"time"

	"burble/app/protocol"
	"burble/app/ws"
	"burble/streams"
)

// typingInterval is the minimum time between two typing signals of one client in a room.
const typingInterval = 3 * time.Second

// dispatch calls the method that handles the frame's type.
func (c *client) dispatch(frame protocol.Frame) error {
	switch frame.Type {
	case "follow":
		return c.follow(frame)
	case "unfollow":
		c.feed.Unfollow(frame.Room)
		c.leave(frame.Room)
		return nil
	case "ping":
		c.feed.Write(ws.Text(protocol.EncodePong()))
		return nil
	case "typing":
		return c.typing(frame.Room)
	case "read":
		if err := c.server.Chat.AllowSignal(c.User); err != nil {
			return err
		}
		return c.server.Chat.MarkRead(c.User, frame.Room, frame.ID)
	}
	return c.append(frame)
}

// append stores the frame's entry and acknowledges it.
func (c *client) append(frame protocol.Frame) error {
	c.hasAppended = true
	entry := frame.Entry()
	if err := c.server.Previews.Attach(&entry, c.User, frame.Room, frame.Preview); err != nil {
		return err
	}
	stored, err := c.server.Chat.Append(c.User, c.Address, frame.Room, entry)
	if err != nil {
		return err
	}
	c.feed.Write(ws.Text(protocol.EncodeStored(frame.Room, frame.Key, stored.Cursor.ID)))
	return nil
}

// typing signals that the user is typing in a room, at most once per typingInterval.
func (c *client) typing(room string) error {
	if err := c.server.Chat.AllowSignal(c.User); err != nil {
		return err
	}
	now := time.Now()
	if !c.joined.has(room) || now.Sub(c.lastTyping[room]) < typingInterval {
		return nil
	}
	if c.lastTyping == nil || len(c.lastTyping) > c.joined.count() {
		c.lastTyping = make(map[string]time.Time, 1)
	}
	c.lastTyping[room] = now
	return c.server.Chat.Typing(c.User, room)
}

// follow follows a room and joins it, unless the client only watches. Either way the client receives
// the list of people present.
func (c *client) follow(frame protocol.Frame) error {
	err := c.feed.Follow(frame.Room, frame.Format, func(ready func(*streams.Reader)) (*streams.Reader, error) {
		if err := c.server.Chat.CheckAccess(context.Background(), c.User, frame.Room); err != nil {
			return nil, err
		}
		return c.server.Chat.Follow(c.User, frame.Room, frame.From, ready)
	})
	if err != nil {
		return err
	}
	if frame.Watch {
		c.leave(frame.Room)
	}
	if frame.Watch || !c.joined.add(frame.Room) {
		c.server.Chat.Watch(c.User, frame.Room, c.feed)
		return nil
	}
	c.server.Chat.Join(c.User, c.NamedAt, frame.Room, c.feed)
	if !c.feed.Follows(frame.Room) { // the room was closed in the meantime
		c.leave(frame.Room)
	}
	return nil
}

// leave leaves a room, if the client has joined it.
func (c *client) leave(room string) {
	if c.joined.remove(room) {
		c.server.Chat.Leave(c.User, room)
	}
}

// leaveAll leaves every room that the client has joined.
func (c *client) leaveAll() {
	for _, room := range c.joined.all() {
		c.leave(room)
	}
}
