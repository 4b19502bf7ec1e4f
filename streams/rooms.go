package streams

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"burble/streams/conns"

	"github.com/redis/go-redis/v9"
)

// Room is what a list of rooms shows one user about a room.
type Room struct {
	Name     string
	Topic    string
	Last     ID  // ID of the last entry
	Read     ID  // the user's read marker; zero if there is none
	Unread   int // messages after it; from 100 on there may be more
	Mentions int // how many of the unread messages mention the user
	Present  int // how many people are present
}

// Active returns the time of the last entry.
func (r Room) Active() time.Time { return r.Last.Time() }

// Rooms returns up to limit of the rooms that the user may read, sorted by their last entries,
// newest first. Unread is 0 for the zero User, and in rooms without a read marker.
func (a Access) Rooms(ctx context.Context, limit int) ([]Room, error) {
	s := a.store
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	granted, err := a.activeRooms(ctx, limit)
	if err != nil || len(granted) == 0 {
		return nil, err
	}
	markers, err := s.readMarkers(ctx, a.user, granted...)
	if err != nil {
		return nil, err
	}
	replies := s.countUnread(ctx, granted, markers)
	rooms := make([]Room, 0, len(granted))
	for i, of := range granted {
		err := replies[i].Err()
		if conns.IsReply(err, notAStream) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("list the rooms: %w", wrap(err))
		}
		room := parseRoom(of.room, asList(replies[i].Val()))
		room.Read, _ = ParseID(markers[i])
		if !room.Last.IsZero() {
			rooms = append(rooms, room)
		}
	}
	return rooms, nil
}

// countUnread runs unread.lua for each room, in one pipeline. A second pipeline follows if a
// server does not have the script yet.
func (s *Store) countUnread(ctx context.Context, granted []grant, markers []string) []*redis.Cmd {
	replies := make([]*redis.Cmd, len(granted))
	for _, eval := range []func(context.Context, redis.Scripter, []string, ...any) *redis.Cmd{
		unreadScript.EvalSha, unreadScript.Eval,
	} {
		pipe := s.redis.Retrying.Pipeline()
		for i, of := range granted {
			if replies[i] == nil || conns.IsReply(replies[i].Err(), "NOSCRIPT ") {
				keys := []string{s.keys.room(of.room), s.keys.meta(of.room), s.keys.present(of.room)}
				replies[i] = eval(ctx, pipe, keys, markers[i], of.user.ID, "@"+strings.Map(lowerASCII, of.user.Name), "@"+strings.ToLower(of.user.Name))
			}
		}
		pipe.Exec(ctx)
	}
	return replies
}

// lowerASCII lowercases only A to Z, as Lua does.
func lowerASCII(r rune) rune {
	if 'A' <= r && r <= 'Z' {
		r += 'a' - 'A'
	}
	return r
}

func parseRoom(name string, reply []any) Room {
	text := func(i int) string { value, _ := reply[i].(string); return value }
	number := func(i int) int { value, _ := reply[i].(int64); return int(value) }
	room := Room{Name: name, Topic: text(1), Unread: number(2), Mentions: number(3), Present: number(4)}
	room.Last, _ = ParseID(text(0))
	return room
}

// activeRooms returns up to limit rooms that the user may read, sorted by their last entries,
// newest first.
func (a Access) activeRooms(ctx context.Context, limit int) ([]grant, error) {
	s := a.store
	pipe := s.redis.Retrying.Pipeline()
	found := make([]*redis.ZSliceCmd, buckets)
	for bucket := range found {
		found[bucket] = pipe.ZRevRangeWithScores(ctx, s.keys.rooms(bucket), 0, int64(limit)-1)
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, fmt.Errorf("list the rooms: %w", wrap(err))
	}
	var all []redis.Z
	for _, bucket := range found {
		all = append(all, bucket.Val()...)
	}
	slices.SortFunc(all, func(a, b redis.Z) int { return cmp.Compare(b.Score, a.Score) })
	granted := make([]grant, 0, limit)
	for _, member := range all[:min(len(all), limit)] {
		name, _ := member.Member.(string)
		if one, err := a.admit(name, reading); err == nil {
			granted = append(granted, one)
		}
	}
	return granted, nil
}

// readMarkers returns the user's read marker in each room, "" if there is none.
func (s *Store) readMarkers(ctx context.Context, user User, of ...grant) ([]string, error) {
	markers := make([]string, len(of))
	if user.ID == "" {
		return markers, nil
	}
	rooms := make([]string, len(of))
	for i := range of {
		rooms[i] = of[i].room
	}
	found, err := s.redis.Retrying.HMGet(ctx, s.keys.read(user.ID), rooms...).Result()
	if err != nil {
		return nil, fmt.Errorf("read the read markers: %w", wrap(err))
	}
	for i, marker := range found {
		if text, ok := marker.(string); ok {
			markers[i] = text
		}
	}
	return markers, nil
}

// Topic returns the room's topic, "" if it has none.
func (a Access) Topic(ctx context.Context, room string) (string, error) {
	granted, err := a.admit(room, reading)
	if err != nil {
		return "", err
	}
	s := a.store
	topic, err := s.redis.Retrying.HGet(ctx, s.keys.meta(granted.room), "topic").Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		return "", fmt.Errorf("read the topic of room %q: %w", room, wrap(err))
	}
	return topic, nil
}

// ReadUpTo returns the user's read marker in the room, zero if there is none.
func (a Access) ReadUpTo(ctx context.Context, room string) (ID, error) {
	granted, err := a.admit(room, reading)
	if err != nil {
		return ID{}, err
	}
	markers, err := a.store.readMarkers(ctx, a.user, granted)
	if err != nil || markers[0] == "" {
		return ID{}, err
	}
	return ParseID(markers[0])
}

// MarkRead moves the user's read marker in the room to id, or to the room's last entry if that
// is before id. It never moves the marker back. If the marker moved, it signals that to the
// user's devices that follow the room.
func (a Access) MarkRead(ctx context.Context, room string, id ID) error {
	granted, err := a.admit(room, reading)
	if err != nil {
		return err
	}
	s := a.store
	last, err := s.redis.Retrying.XRevRangeN(ctx, s.keys.room(room), "+", "-", 1).Result()
	if err != nil {
		return fmt.Errorf("find the end of room %q: %w", room, wrap(err))
	}
	if len(last) == 0 {
		return nil
	}
	if end, err := ParseID(last[0].ID); err == nil && end.Before(id) {
		id = end
	}
	moved, err := markReadScript.Run(ctx, s.redis.Retrying, []string{s.keys.read(a.user.ID)}, room, id.String()).Int()
	if err != nil {
		return fmt.Errorf("mark room %q read: %w", room, wrap(err))
	}
	if moved == 0 {
		return nil
	}
	return s.signal(ctx, granted, storedSignal{Kind: MarkedRead, ID: id.String()})
}
