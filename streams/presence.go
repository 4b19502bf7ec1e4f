package streams

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"burble/streams/conns"
)

// ServerTimeout is how long a server counts as alive after its last Heartbeat. After that,
// RemoveDeadServers removes the people who are present through it.
const ServerTimeout = 60 * time.Second

// In a room with up to MaxNamed people, a signal names each person who comes or leaves. In a
// larger one, which is a crowd, signals report only the number of people, once per
// CountInterval.
const (
	MaxNamed      = 100
	CountInterval = 10 * time.Second
)

// UpdatePresence records that the users in here are present in the room through the server,
// and that the users in gone no longer are. It signals arrivals and departures to the room's
// readers. Users stay present as long as the server sends Heartbeats.
//
// If the number of people in a crowd changed less than CountInterval after it was last
// signalled, UpdatePresence returns countDue = true. The caller must then call SignalCount
// after that interval.
func (s *Store) UpdatePresence(ctx context.Context, room, server string, here, gone []User) (countDue bool, err error) {
	var changes []any
	for _, user := range here {
		changes = append(changes, "here", user.ID, user.Name)
	}
	for _, user := range gone {
		changes = append(changes, "gone", user.ID, user.Name)
	}
	if len(here) > 0 {
		if err := s.redis.Retrying.SAdd(ctx, s.keys.serverRooms(server), room).Err(); err != nil {
			return false, fmt.Errorf("update presence in room %q: %w", room, wrap(err))
		}
	}
	return s.updatePresence(ctx, room, server, "", changes...)
}

// SignalCount signals the number of people present to the room's readers, unless it was
// signalled less than CountInterval ago.
func (s *Store) SignalCount(ctx context.Context, room string) error {
	_, err := s.updatePresence(ctx, room, "", "signal_count")
	return err
}

// updatePresence runs presence.lua, which documents mode.
func (s *Store) updatePresence(ctx context.Context, room, server, mode string, changes ...any) (countDue bool, err error) {
	args := append([]any{room, server, mode, MaxNamed, CountInterval.Milliseconds()}, changes...)
	keys := []string{s.keys.present(room), s.keys.activity(bucketOf(room)), s.keys.countSignaled(room)}
	if countDue, err = presenceScript.Run(ctx, s.redis.Retrying, keys, args...).Bool(); err != nil {
		return false, fmt.Errorf("update presence in room %q: %w", room, wrap(err))
	}
	return countDue, nil
}

// Present returns the number of people who are present in the room, and up to MaxNamed of them.
func (a Access) Present(ctx context.Context, room string) (count int, people []User, err error) {
	granted, err := a.admit(room, reading)
	if err != nil {
		return 0, nil, err
	}
	s := a.store
	pipe := s.redis.Retrying.Pipeline()
	total := pipe.HLen(ctx, s.keys.present(granted.room))
	some := pipe.HScan(ctx, s.keys.present(granted.room), 0, "", MaxNamed)
	if _, err := pipe.Exec(ctx); err != nil {
		return 0, nil, fmt.Errorf("read the people present in room %q: %w", room, wrap(err))
	}
	found, _ := some.Val()
	for i := 0; i+1 < len(found) && len(people) < MaxNamed; i += 2 {
		var person struct{ Name string }
		if json.Unmarshal([]byte(found[i+1]), &person) == nil {
			people = append(people, User{found[i], person.Name})
		}
	}
	return int(total.Val()), people, nil
}

// Heartbeat records that the server counts as alive until the timeout has passed. It returns
// known = false if the server is new or was removed as dead, or if the outcome is unknown. The
// server must then record its people again with UpdatePresence.
func (s *Store) Heartbeat(ctx context.Context, server string, timeout time.Duration) (known bool, err error) {
	key := s.keys.servers()
	// If the library retried, the retry would report the server as known.
	node, err := conns.Node(ctx, s.redis.Unretried, key)
	var added bool
	if err == nil {
		added, err = heartbeatScript.Run(ctx, node, []string{key}, server, timeout.Milliseconds()).Bool()
	}
	if err != nil {
		return false, fmt.Errorf("record the heartbeat: %w", wrap(err))
	}
	return !added, nil
}

// RemoveDeadServers calls RemoveServer for servers whose heartbeat has expired.
func (s *Store) RemoveDeadServers(ctx context.Context) error {
	dead, err := deadServersScript.Run(ctx, s.redis.Retrying, []string{s.keys.servers()}).StringSlice()
	if err != nil {
		return fmt.Errorf("find dead servers: %w", wrap(err))
	}
	for _, server := range dead {
		if err := s.RemoveServer(ctx, server); err != nil {
			return err
		}
	}
	return nil
}

// RemoveServer removes the presence of all users who are present through the server, and then
// the server's own records. Repeated and concurrent calls are safe.
func (s *Store) RemoveServer(ctx context.Context, server string) error {
	rooms, err := s.redis.Retrying.SMembers(ctx, s.keys.serverRooms(server)).Result()
	if err != nil {
		return fmt.Errorf("list the rooms of a server: %w", wrap(err))
	}
	for _, room := range rooms {
		if _, err := s.updatePresence(ctx, room, server, "server_lost"); err != nil {
			return err
		}
	}
	if err := s.redis.Retrying.Del(ctx, s.keys.serverRooms(server)).Err(); err != nil {
		return fmt.Errorf("remove a server: %w", wrap(err))
	}
	if err := s.redis.Retrying.ZRem(ctx, s.keys.servers(), server).Err(); err != nil {
		return fmt.Errorf("remove a server: %w", wrap(err))
	}
	return nil
}
