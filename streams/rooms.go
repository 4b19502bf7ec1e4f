package streams

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"burble/streams/conns"

	"github.com/redis/go-redis/v9"
)

// Room is a room in a user's list of rooms.
type Room struct {
	Name     string
	Topic    string
	Title    string // may be empty
	Last     ID     // ID of the last entry
	Read     ID     // the user's read marker; zero if there is none
	Unread   int    // messages from others after Read; after a long absence, an estimate
	Mentions int    // how many of the newest unread messages mention the user in their latest text
	Present  int    // how many people are present
}

// Active returns the time of the last entry.
func (r Room) Active() time.Time { return r.Last.Time() }

// Rooms returns up to limit rooms that the user may read: first those with a read marker and then the others,
// each by the time of the last entry, latest first. If there are more than limit, it prefers rooms with a read
// marker, then hidden rooms, then the most recently active ones. Unread is 0 for the zero User and in rooms
// without a read marker.
func (a Access) Rooms(ctx context.Context, limit int) ([]Room, error) {
	s := a.store
	if a.isShutOut() {
		return nil, ErrSignIn
	}
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	granted, markers, err := a.listedRooms(ctx, limit)
	if err != nil || len(granted) == 0 {
		return nil, err
	}
	read, err := s.readRooms(ctx, granted, markers)
	if err != nil {
		return nil, fmt.Errorf("list the rooms: %w", err)
	}
	rooms := make([]Room, len(read))
	for i := range read {
		rooms[i] = read[i].Room
	}
	return rooms, nil
}

// listedRooms returns up to limit rooms that the user may read, and the user's read marker in each, or
// "" if there is none. Rooms with a marker come first, by the latest marker, so that new rooms cannot
// crowd them out of the list. Hidden rooms follow, then the others, both by the latest entry.
func (a Access) listedRooms(ctx context.Context, limit int) (granted []grant, markers []string, err error) {
	s := a.store
	active := make([]*redis.ZSliceCmd, buckets)
	var read *redis.MapStringStringCmd
	var hidden *redis.StringSliceCmd
	err = s.redis.Pipeline(ctx, 3, func(pipe redis.Pipeliner) {
		for bucket := range active {
			active[bucket] = pipe.ZRevRangeWithScores(ctx, s.keys.rooms(bucket), 0, int64(limit)-1)
		}
		if a.user.ID != "" {
			read = pipe.HGetAll(ctx, s.keys.read(a.user.ID))
			hidden = pipe.SMembers(ctx, s.keys.userRooms(a.user.ID))
		}
	})
	var others []redis.Z
	for _, bucket := range active {
		if err == nil {
			err = bucket.Err()
			others = append(others, bucket.Val()...)
		}
	}
	ownMarkers := make(map[string]string)
	var hiddenNames []string
	if err == nil && read != nil {
		ownMarkers, err = read.Result()
	}
	if err == nil && hidden != nil {
		hiddenNames, err = s.sortByActivity(ctx, hidden.Val())
		err = errors.Join(err, hidden.Err())
	}
	if err != nil {
		return nil, nil, fmt.Errorf("list the rooms: %w", wrap(err))
	}
	add := func(name string) {
		if len(granted) < limit {
			if one, err := a.admit(name, reading); err == nil {
				granted, markers = append(granted, one), append(markers, ownMarkers[name])
			}
		}
	}
	for _, name := range slices.SortedFunc(maps.Keys(ownMarkers), func(a, b string) int { return compareIDs(ownMarkers[b], ownMarkers[a]) }) {
		add(name)
	}
	for _, name := range hiddenNames {
		if ownMarkers[name] == "" {
			add(name)
		}
	}
	slices.SortFunc(others, func(a, b redis.Z) int { return cmp.Compare(b.Score, a.Score) })
	for _, member := range others {
		if name, _ := member.Member.(string); ownMarkers[name] == "" {
			add(name)
		}
	}
	return granted, markers, nil
}

// sortByActivity sorts hidden rooms by the time of their last entry, latest first.
func (s *Store) sortByActivity(ctx context.Context, rooms []string) ([]string, error) {
	if len(rooms) == 0 {
		return nil, nil
	}
	byBucket := make(map[int][]string)
	for _, room := range rooms {
		byBucket[bucketOf(room)] = append(byBucket[bucketOf(room)], room)
	}
	scores := make(map[int]*redis.FloatSliceCmd)
	err := s.redis.Pipeline(ctx, 1+len(rooms)/100, func(pipe redis.Pipeliner) {
		for bucket, names := range byBucket {
			scores[bucket] = pipe.ZMScore(ctx, s.keys.hidden(bucket), names...)
		}
	})
	if err != nil {
		return nil, err
	}
	times := make(map[string]float64, len(rooms))
	for bucket, names := range byBucket {
		found, err := scores[bucket].Result()
		if err != nil {
			return nil, err
		}
		for i, room := range names {
			times[room] = found[i]
		}
	}
	slices.SortFunc(rooms, func(a, b string) int { return cmp.Compare(times[b], times[a]) })
	return rooms, nil
}

// compareIDs compares entry IDs as Redis writes them. An invalid ID is before all valid ones.
func compareIDs(a, b string) int {
	first, _ := ParseID(a)
	second, _ := ParseID(b)
	return first.Compare(second)
}

// readMarkers returns the user's read marker in each room, or "" if there is none.
func (s *Store) readMarkers(ctx context.Context, user User, granted ...grant) ([]string, error) {
	markers := make([]string, len(granted))
	if user.ID == "" || len(granted) == 0 {
		return markers, nil
	}
	rooms := make([]string, len(granted))
	for i := range granted {
		rooms[i] = granted[i].room
	}
	found, err := conns.Do(ctx, s.redis, 1, func(pipe redis.Pipeliner) *redis.SliceCmd { return pipe.HMGet(ctx, s.keys.read(user.ID), rooms...) })
	if err != nil {
		return nil, fmt.Errorf("read the read markers: %w", wrap(err))
	}
	for i, marker := range found.Val() {
		if text, ok := marker.(string); ok {
			markers[i] = text
		}
	}
	return markers, nil
}

// Topic returns the room's topic, or "" if it has none.
func (a Access) Topic(ctx context.Context, room string) (string, error) {
	granted, err := a.admit(room, reading)
	if err != nil {
		return "", err
	}
	s := a.store
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	var member *redis.StringCmd
	topic, err := conns.Do(ctx, s.redis, 1, func(pipe redis.Pipeliner) *redis.StringCmd {
		found := pipe.HGet(ctx, s.keys.meta(granted.room), "topic")
		member = s.queryMember(ctx, pipe, granted)
		return found
	})
	if err != nil && !errors.Is(err, redis.Nil) {
		return "", fmt.Errorf("read the topic of room %q: %w", room, wrap(err))
	}
	if err := checkMember(member); err != nil {
		return "", err
	}
	return topic.Val(), nil
}

// ReadUpTo returns the user's read marker in the room, or the zero ID if there is none.
func (a Access) ReadUpTo(ctx context.Context, room string) (ID, error) {
	granted, err := a.admit(room, reading)
	if err != nil {
		return ID{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	if err := a.CheckAccess(ctx, room); err != nil {
		return ID{}, err
	}
	markers, err := a.store.readMarkers(ctx, a.user, granted)
	if err != nil || markers[0] == "" {
		return ID{}, err
	}
	return ParseID(markers[0])
}

// MarkRead moves the user's read marker in the room to id, or to the room's last entry if that
// is before id. It never moves the marker back. If the marker moves, it signals the user's devices
// that follow the room.
func (a Access) MarkRead(ctx context.Context, room string, id ID) error {
	granted, err := a.admit(room, reading)
	if err != nil {
		return err
	}
	s := a.store
	var member *redis.StringCmd
	last, err := conns.Do(ctx, s.redis, 1, func(pipe redis.Pipeliner) *redis.XMessageSliceCmd {
		found := pipe.XRevRangeN(ctx, s.keys.room(granted.room), "+", "-", 1)
		member = s.queryMember(ctx, pipe, granted)
		return found
	})
	if err != nil {
		return fmt.Errorf("find the end of room %q: %w", room, wrap(err))
	}
	if err := checkMember(member); err != nil {
		return err
	}
	if len(last.Val()) == 0 {
		return nil
	}
	if end, err := ParseID(last.Val()[0].ID); err == nil && end.Before(id) {
		id = end
	}
	call := conns.Call{Script: markReadScript, Weight: 1, Keys: []string{s.keys.read(a.user.ID)}, Args: []any{room, id.String()}}
	moved, err := s.redis.RunScript(ctx, call).Int()
	if err != nil {
		return fmt.Errorf("mark room %q read: %w", room, wrap(err))
	}
	if moved == 0 {
		return nil
	}
	return s.signal(ctx, granted, storedSignal{Kind: MarkedRead, ID: id.String()})
}
