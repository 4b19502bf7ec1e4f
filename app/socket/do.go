package socket

import (
	"time"

	"burble/app/identity"
	"burble/app/protocol"
	"burble/app/ws"
	"burble/streams"
)

// typingInterval is the least time between two signals that a client is typing.
const typingInterval = 3 * time.Second

// do carries out a frame.
func (c *client) do(frame protocol.Frame) error {
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

// append appends the frame's entry and acknowledges it.
func (c *client) append(frame protocol.Frame) error {
	c.sends = true
	stored, err := c.server.Chat.Append(c.User, frame.Room, frame.Entry())
	if err != nil {
		return err
	}
	c.feed.Write(ws.Text(protocol.EncodeStored(frame.Room, frame.Key, stored.Cursor.ID)))
	return nil
}

// typing signals that the user is typing in a room, at most once in typingInterval.
func (c *client) typing(room string) error {
	if err := c.server.Chat.AllowSignal(c.User); err != nil {
		return err
	}
	now := time.Now()
	if !c.present[room] || now.Sub(c.typed[room]) < typingInterval {
		return nil
	}
	if c.typed == nil || len(c.typed) > len(c.present) {
		c.typed = make(map[string]time.Time, 1)
	}
	c.typed[room] = now
	return c.server.Chat.Typing(c.User, room)
}

// follow follows a room and joins it, unless the client only watches. Either way the client is
// notified of who is there.
func (c *client) follow(frame protocol.Frame) error {
	err := c.feed.Follow(frame.Room, frame.Form, func(ready func(*streams.Reader)) (*streams.Reader, error) {
		return c.server.Chat.Follow(c.User, frame.Room, frame.From, ready)
	})
	if err != nil {
		return err
	}
	if frame.Watch {
		c.leave(frame.Room)
	}
	joining := c.User
	switch {
	case frame.Watch || c.present[frame.Room]:
		joining = identity.User{} // only to be notified
	case c.present == nil:
		c.present = map[string]bool{frame.Room: true}
	default:
		c.present[frame.Room] = true
	}
	c.server.Chat.Join(joining, frame.Room, c.feed)
	return nil
}

// leave leaves a room, if the client has joined it.
func (c *client) leave(room string) {
	if c.present[room] {
		delete(c.present, room)
		c.server.Chat.Leave(c.User, room)
	}
}

func (c *client) leaveAll() {
	for room := range c.present {
		c.leave(room)
	}
}
