package streams

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"burble/streams/conns"
	"burble/streams/fold"

	"github.com/redis/go-redis/v9"
)

// To find mentions of the user and to exclude the user's own messages, a list of rooms reads at most
// maxUnreadEntries unread entries, from at most maxUnreadRooms rooms. Nobody needs exact numbers beyond
// that, and a user who returns after a long absence must not block Redis.
const (
	maxUnreadEntries = 250
	maxUnreadRooms   = 25
)

// An unreadRoom is a Room in a list, with the counts that unread.lua returned.
type unreadRoom struct {
	Room
	granted  grant
	marker   string
	entries  int // number of entries after the marker
	messages int // number of messages after the marker; negative if unknown
	newest   int // number of newest entries to read
}

// readRooms returns the rooms of a list, with their unread messages and mentions.
func (s *Store) readRooms(ctx context.Context, granted []grant, markers []string) ([]*unreadRoom, error) {
	replies, err := s.runUnread(ctx, granted, markers)
	if err != nil {
		return nil, wrap(err)
	}
	rooms := make([]*unreadRoom, 0, len(granted))
	for i, reply := range replies {
		err := reply.Err()
		if conns.IsReply(err, notAStream) {
			continue
		}
		if err != nil {
			return nil, wrap(err)
		}
		room := parseUnread(asList(reply.Val()))
		room.granted, room.marker, room.Name = granted[i], markers[i], granted[i].room
		room.Read, _ = ParseID(markers[i])
		if !room.Last.IsZero() {
			rooms = append(rooms, room)
		}
	}
	slices.SortStableFunc(rooms, func(a, b *unreadRoom) int {
		if a.hasMarker() != b.hasMarker() {
			return cmp.Compare(len(b.marker), len(a.marker))
		}
		return b.Last.Compare(a.Last)
	})
	share(rooms)
	return s.countUnread(ctx, rooms)
}

// hasMarker reports whether the user has read the room.
func (r *unreadRoom) hasMarker() bool { return r.marker != "" }

// runUnread runs unread.lua for each room, all at once.
func (s *Store) runUnread(ctx context.Context, granted []grant, markers []string) ([]*redis.Cmd, error) {
	calls := make([]conns.Call, len(granted))
	for i, one := range granted {
		calls[i] = conns.Call{
			Script: unreadScript, Args: []any{markers[i], one.memberID()},
			Keys: []string{s.keys.room(one.room), s.keys.meta(one.room), s.keys.present(one.room), s.keys.members(one.room)},
		}
	}
	if len(calls) > 0 {
		calls[0].Weight = 1 + len(calls)/5
	}
	return s.redis.RunScripts(ctx, calls...)
}

func parseUnread(reply []any) *unreadRoom {
	text := func(i int) string { value, _ := reply[i].(string); return value }
	number := func(i int) int { value, _ := reply[i].(int64); return int(value) }
	room := &unreadRoom{entries: max(0, number(3)), messages: number(4)}
	room.Topic, room.Present, room.Title = text(1), number(2), text(5)
	room.Last, _ = ParseID(text(0))
	return room
}

// share divides maxUnreadEntries among the most recently active rooms with unread entries. Rooms
// with few unread entries get as many as they have. The others get equal shares of the rest.
func share(rooms []*unreadRoom) {
	var selected []*unreadRoom
	for _, room := range rooms {
		if room.entries > 0 && len(selected) < maxUnreadRooms {
			selected = append(selected, room)
		}
	}
	slices.SortStableFunc(selected, func(a, b *unreadRoom) int { return cmp.Compare(a.entries, b.entries) })
	left := maxUnreadEntries
	for i, room := range selected {
		room.newest = min(room.entries, left/(len(selected)-i))
		left -= room.newest
	}
}

// countUnread reads the newest unread entries of all rooms in one pipeline, and sets Unread and
// Mentions. It returns the rooms, except those that the user is no longer a member of.
func (s *Store) countUnread(ctx context.Context, rooms []*unreadRoom) ([]*unreadRoom, error) {
	newest, members := make([]*redis.XMessageSliceCmd, len(rooms)), make([]*redis.StringCmd, len(rooms))
	var err error
	if slices.ContainsFunc(rooms, func(room *unreadRoom) bool { return room.newest > 0 }) {
		err = s.redis.Pipeline(ctx, 1+maxUnreadEntries/50, func(pipe redis.Pipeliner) {
			for i, room := range rooms {
				if room.newest > 0 {
					newest[i] = pipe.XRevRangeN(ctx, s.keys.room(room.Name), "+", "("+room.marker, int64(room.newest))
					members[i] = s.queryMember(ctx, pipe, room.granted)
				}
			}
		})
	}
	if err != nil {
		return nil, wrap(err)
	}
	visible := rooms[:0:0]
	for i, room := range rooms {
		var entries []Entry
		if newest[i] != nil {
			err := errors.Join(newest[i].Err(), checkMember(members[i]))
			if errors.Is(err, ErrHidden) {
				continue
			}
			if err != nil {
				return nil, wrap(err)
			}
			entries = parseEntries(newest[i].Val())
		}
		room.count(entries)
		visible = append(visible, room)
	}
	return visible, nil
}

// count sets Unread and Mentions from the newest unread entries.
func (r *unreadRoom) count(newest []Entry) {
	others, own, deleted, name := 0, 0, 0, fold.String(r.granted.user.Name)
	lastEdits := map[ID]*Entry{} // by message
	for i := range newest {
		entry := &newest[i]
		switch {
		case entry.Kind == Edit && lastEdits[entry.Of] == nil:
			lastEdits[entry.Of] = entry
		case entry.Kind == Delete && r.Read.Before(entry.Of):
			deleted++
		case entry.Kind == Message && entry.User.ID == r.granted.user.ID:
			own++
		case entry.Kind == Message:
			others++
			if cmp.Or(lastEdits[entry.ID], entry).mentions(name) {
				r.Mentions++
			}
		}
	}
	switch older := r.entries - r.newest; {
	case older <= 0:
		r.Unread = others
	case r.messages < 0:
		r.Unread = others + older
	default:
		r.Unread = max(others, r.messages-own-deleted)
	}
}
