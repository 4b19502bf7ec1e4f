package streams

import (
	"cmp"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

//go:embed unread.lua
var unreadLua string

var (
	unreadScript = redis.NewScript(unreadLua)
	// markScript moves a marker on, never back.
	// KEYS 1 read  ARGV 1 room  2 entry ID. Reply 1: it moved.
	markScript = redis.NewScript(`
		local function parts(id) local ms, seq = string.match(id, '^(%d+)-(%d+)$'); return tonumber(ms), tonumber(seq) end
		local old = redis.call('HGET', KEYS[1], ARGV[1])
		if old then
			local oms, oseq = parts(old)
			local ms, seq = parts(ARGV[2])
			if ms < oms or ms == oms and seq <= oseq then return 0 end
		end
		redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
		return 1`)
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

// Rooms returns up to limit rooms, those with the newest entries first, with
// what the user has not read. Nothing is unread to the zero User, nor where the
// user has never been.
func (s *Store) Rooms(ctx context.Context, user User, limit int) ([]Room, error) {
	ctx, cancel := context.WithTimeout(ctx, flightTime)
	defer cancel()
	names, err := s.activeRooms(ctx, limit)
	if err != nil || len(names) == 0 {
		return nil, err
	}
	marks, err := s.marks(ctx, user, names)
	if err != nil {
		return nil, err
	}
	replies := make([]*redis.Cmd, len(names))
	for _, eval := range []func(context.Context, redis.Scripter, []string, ...any) *redis.Cmd{
		unreadScript.EvalSha, unreadScript.Eval, // where a server has it not yet
	} {
		pipe := s.reads.Pipeline()
		for i, name := range names {
			if replies[i] == nil || says(replies[i].Err(), "NOSCRIPT ") {
				keys := []string{s.keys.room(name), s.keys.meta(name), s.keys.present(name)}
				replies[i] = eval(ctx, pipe, keys, marks[i], user.ID, "@"+strings.Map(lower, user.Name), "@"+strings.ToLower(user.Name))
			}
		}
		pipe.Exec(ctx)
	}
	rooms := make([]Room, 0, len(names))
	for i, name := range names {
		err := replies[i].Err()
		if says(err, notAStream) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("list the rooms: %w", wrap(err))
		}
		room := readRoom(name, list(replies[i].Val()))
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

// activeRooms are the names of the rooms with the newest entries, the newest first.
func (s *Store) activeRooms(ctx context.Context, limit int) ([]string, error) {
	pipe := s.reads.Pipeline()
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
	names := make([]string, 0, limit)
	for _, member := range all[:min(len(all), limit)] {
		if name, ok := member.Member.(string); ok && CheckRoom(name) == nil {
			names = append(names, name)
		}
	}
	return names, nil
}

// marks are the user's read markers for the rooms, "" for none.
func (s *Store) marks(ctx context.Context, user User, rooms []string) ([]string, error) {
	marks := make([]string, len(rooms))
	if user.ID == "" {
		return marks, nil
	}
	found, err := s.reads.HMGet(ctx, s.keys.read(user.ID), rooms...).Result()
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
func (s *Store) Topic(ctx context.Context, room string) (string, error) {
	topic, err := s.reads.HGet(ctx, s.keys.meta(room), "topic").Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		return "", fmt.Errorf("read the topic of room %q: %w", room, wrap(err))
	}
	return topic, nil
}

// ReadUpTo is the user's read marker in the room, zero if there is none.
func (s *Store) ReadUpTo(ctx context.Context, user User, room string) (ID, error) {
	marks, err := s.marks(ctx, user, []string{room})
	if err != nil || marks[0] == "" {
		return ID{}, err
	}
	return ParseID(marks[0])
}

// MarkRead says that the user has read the room up to id, or up to its end if that
// comes before: nobody has read what is yet to be said. A marker never moves
// back. The user's other devices that follow the room are signalled.
func (s *Store) MarkRead(ctx context.Context, user User, room string, id ID) error {
	if err := CheckRoom(room); err != nil {
		return err
	}
	last, err := s.reads.XRevRangeN(ctx, s.keys.room(room), "+", "-", 1).Result()
	if err != nil {
		return fmt.Errorf("find the end of room %q: %w", room, wrap(err))
	}
	if len(last) == 0 {
		return nil
	}
	if end, err := ParseID(last[0].ID); err == nil && end.Before(id) {
		id = end
	}
	moved, err := markScript.Run(ctx, s.reads, []string{s.keys.read(user.ID)}, room, id.String()).Int()
	if err != nil {
		return fmt.Errorf("mark room %q read: %w", room, wrap(err))
	}
	if moved == 0 {
		return nil
	}
	return s.Signal(ctx, room, &Signal{Kind: Seen, User: user, ID: id})
}
