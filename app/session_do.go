package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"burble/app/identity"
	"burble/app/protocol"
	"burble/streams"
)

func (s *session) do(asked protocol.Frame) error {
	switch asked.Type {
	case "follow":
		if !s.mayFollow(asked.Room) {
			return protocol.Errorf(protocol.BadField, "room", "A connection follows at most %d rooms.", roomsMost)
		}
		return s.enter(asked)
	case "unfollow":
		s.unfollow(asked.Room)
		s.leave(asked.Room)
		return nil
	case "ping":
		s.write(webSocketFrame(opText, protocol.EncodePong()))
		return nil
	case "typing":
		return s.typing(asked.Room)
	case "read":
		return s.markRead(asked.Room, asked.ID)
	}
	s.speaks = true
	stored, err := s.app.append(s.user, asked.Room, asked.Entry())
	if err != nil {
		return err
	}
	s.answer(asked.Room, webSocketFrame(opText, protocol.EncodeStored(asked.Room, asked.Key, stored.Cursor.ID)))
	return nil
}

// typing tells the room that the guest writes, at most once in 3 s: one more says
// nothing new.
func (s *session) typing(room string) error {
	now := time.Now()
	if !s.present[room] || now.Sub(s.typed[room]) < typingEvery {
		return nil
	}
	if s.typed == nil || len(s.typed) > len(s.present) {
		s.typed = make(map[string]time.Time, 1)
	}
	s.typed[room] = now
	ctx, cancel := context.WithTimeout(s.app.ctx, appendTime)
	defer cancel()
	return s.app.store.As(streams.User(s.user)).Signal(ctx, room, streams.Typing)
}

// markRead moves the guest's read marker, for all their devices.
func (s *session) markRead(room string, id streams.ID) error {
	ctx, cancel := context.WithTimeout(s.app.ctx, appendTime)
	defer cancel()
	return s.app.store.As(streams.User(s.user)).MarkRead(ctx, room, id)
}

// enter follows a room, and is there from then on, unless it only watches: then it
// is told who is there.
func (s *session) enter(asked protocol.Frame) error {
	if err := s.follow(streams.User(s.user), asked.Room, asked.From, asked.Form); err != nil {
		return err
	}
	user := s.user
	if asked.Watch {
		s.leave(asked.Room)
	}
	switch {
	case asked.Watch || s.present[asked.Room]:
		user = identity.User{} // not to be counted in, or counted in already
	case s.present == nil:
		s.present = map[string]bool{asked.Room: true}
	default:
		s.present[asked.Room] = true
	}
	s.app.presence.join(asked.Room, user, &s.feed)
	return nil
}

// leave is no longer there.
func (s *session) leave(room string) {
	if s.present[room] {
		delete(s.present, room)
		s.app.presence.leave(room, s.user, time.Now())
	}
}

func (s *session) leaveAll() {
	for room := range s.present {
		s.leave(room)
	}
}

// append appends within a bounded time, whatever becomes of the one who asked.
func (a *App) append(user identity.User, room string, entry streams.Entry) (streams.Stored, error) {
	ctx, cancel := context.WithTimeout(a.ctx, appendTime)
	defer cancel()
	stored, err := a.store.As(streams.User(user)).Append(ctx, room, entry)
	switch {
	case errors.Is(err, streams.ErrFull):
		a.metrics.refused.WithLabelValues(string(protocol.Full)).Inc()
	case errors.Is(err, streams.ErrUnavailable):
		a.metrics.refused.WithLabelValues(string(protocol.Unavailable)).Inc()
	}
	if errors.Is(err, streams.ErrNotFound) && entry.Kind == streams.Message {
		return stored, protocol.Errorf(protocol.NotFound, "reply_to", "There is no message %v in this room to reply to.", entry.ReplyTo)
	}
	if err != nil {
		return stored, fmt.Errorf("append %s: %w", entry.Kind, err)
	}
	if !stored.Repeated {
		a.metrics.appended.Inc()
	}
	return stored, nil
}
