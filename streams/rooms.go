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

// Room is a room as a list of rooms shows it to somebody.
type Room struct {
	Name     string
	Topic    string
	Last     ID  // of its last entry
	Read     ID  // up to where the user has read; zero: never here
	Unread   int // messages; from 100 on there may be more
	Mentions int // among those counted
	Present  int
}

// Active is when something last happened in the room.
func (r Room) Active() time.Time { return r.Last.Time() }

// Rooms returns up to limit of the rooms that the user may read, those with the
// newest entries first, with what the user has not read. Nothing is unread to the zero User, nor where the
// user has never been.
func (a Access) Rooms(ctx context.Context, limit int) ([]Room, error) {
	s := a.store
	ctx, cancel := context.WithTimeout(ctx, flightTime)
	defer cancel()
	granted, err := a.activeRooms(ctx, limit)
	if err != nil || len(granted) == 0 {
		return nil, err
	}
	marks, err := s.marks(ctx, a.user, granted...)
	if err != nil {
		return nil, err
	}
	replies := make([]*redis.Cmd, len(granted))
	for _, eval := range []func(context.Context, redis.Scripter, []string, ...any) *redis.Cmd{
		unreadScript.EvalSha, unreadScript.Eval, // where a server has it not yet
	} {
		pipe := s.redis.Retrying.Pipeline()
		for i, of := range granted {
			if replies[i] == nil || conns.IsReply(replies[i].Err(), "NOSCRIPT ") {
				keys := []string{s.keys.room(of.room), s.keys.meta(of.room), s.keys.present(of.room)}
				replies[i] = eval(ctx, pipe, keys, marks[i], of.user.ID, "@"+strings.Map(lower, of.user.Name), "@"+strings.ToLower(of.user.Name))
			}
		}
		pipe.Exec(ctx)
	}
	rooms := make([]Room, 0, len(granted))
	for i, of := range granted {
		err := replies[i].Err()
		if conns.IsReply(err, notAStream) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("list the rooms: %w", wrap(err))
		}
		room := readRoom(of.room, list(replies[i].Val()))
		room.Read, _ = ParseID(marks[i])
		if !room.Last.IsZero() {
			rooms = append(rooms, room)
		}
	}
	return rooms, nil
}

// lower is what Lua makes of a letter.
func lower(r rune) rune {
	if 'A' <= r && r <= 'Z' {
		r += 'a' - 'A'
	}
	return r
}

func readRoom(name string, reply []any) Room {
	text := func(i int) string { value, _ := reply[i].(string); return value }
	number := func(i int) int { value, _ := reply[i].(int64); return int(value) }
	room := Room{Name: name, Topic: text(1), Unread: number(2), Mentions: number(3), Present: number(4)}
	room.Last, _ = ParseID(text(0))
	return room
}

// activeRooms are the rooms with the newest entries that the user may read, the newest first.
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

// marks are the user's read markers for the rooms, "" for none.
func (s *Store) marks(ctx context.Context, user User, of ...grant) ([]string, error) {
	marks := make([]string, len(of))
	if user.ID == "" {
		return marks, nil
	}
	rooms := make([]string, len(of))
	for i := range of {
		rooms[i] = of[i].room
	}
	found, err := s.redis.Retrying.HMGet(ctx, s.keys.read(user.ID), rooms...).Result()
	if err != nil {
		return nil, fmt.Errorf("read the markers: %w", wrap(err))
	}
	for i, mark := range found {
		if text, ok := mark.(string); ok {
			marks[i] = text
		}
	}
	return marks, nil
}

// Topic is what the room is about, "" for nothing in particular.
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

// ReadUpTo is the user's read marker in the room, zero if there is none.
func (a Access) ReadUpTo(ctx context.Context, room string) (ID, error) {
	granted, err := a.admit(room, reading)
	if err != nil {
		return ID{}, err
	}
	marks, err := a.store.marks(ctx, a.user, granted)
	if err != nil || marks[0] == "" {
		return ID{}, err
	}
	return ParseID(marks[0])
}

// MarkRead says that the user has read the room up to id, or up to its end if that
// comes before: nobody has read what is yet to be said. A marker never moves
// back. The user's other devices that follow the room are signalled.
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
	return s.signal(ctx, granted, storedSignal{Kind: Seen, ID: id.String()})
}
