package streams

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"burble/streams/conns"
)

// ServerLasts is how long a server is taken to live after its last Beat: whoever
// was in a room by a server that died without a word is gone after it.
const ServerLasts = 60 * time.Second

// PresentMost is how many people are named; of more, only the number is told, every
// TellAgain at most.
const (
	PresentMost = 100
	TellAgain   = 10 * time.Second
)

// Enter says that the people of here are in the room by this server from now on,
// and that those of gone no longer are. Whoever came or left is signalled to the
// room's readers. They stay for as long as the server beats. If the number of a crowd
// is owed to the readers, who were told another lately, TellNumber is to be called
// TellAgain later.
func (s *Store) Enter(ctx context.Context, room, server string, here, gone []User) (owed bool, err error) {
	var changes []any
	for _, user := range here {
		changes = append(changes, "here", user.ID, user.Name)
	}
	for _, user := range gone {
		changes = append(changes, "gone", user.ID, user.Name)
	}
	if len(here) > 0 {
		if err := s.redis.Retrying.SAdd(ctx, s.keys.serverRooms(server), room).Err(); err != nil {
			return false, fmt.Errorf("say who is in room %q: %w", room, wrap(err))
		}
	}
	return s.enter(ctx, room, server, "", changes...)
}

// TellNumber signals to the room's readers how many are here, unless somebody did so
// less than TellAgain ago.
func (s *Store) TellNumber(ctx context.Context, room string) error {
	_, err := s.enter(ctx, room, "", "tell")
	return err
}

// enter runs presence.lua.
func (s *Store) enter(ctx context.Context, room, server, what string, changes ...any) (owed bool, err error) {
	args := append([]any{room, server, what, PresentMost, TellAgain.Milliseconds()}, changes...)
	keys := []string{s.keys.present(room), s.keys.activity(bucketOf(room)), s.keys.told(room)}
	if owed, err = presenceScript.Run(ctx, s.redis.Retrying, keys, args...).Bool(); err != nil {
		return false, fmt.Errorf("say who is in room %q: %w", room, wrap(err))
	}
	return owed, nil
}

// Present returns how many people are in the room, and who, PresentMost at most.
func (a Access) Present(ctx context.Context, room string) (count int, people []User, err error) {
	granted, err := a.admit(room, reading)
	if err != nil {
		return 0, nil, err
	}
	s := a.store
	pipe := s.redis.Retrying.Pipeline()
	total := pipe.HLen(ctx, s.keys.present(granted.room))
	some := pipe.HScan(ctx, s.keys.present(granted.room), 0, "", PresentMost)
	if _, err := pipe.Exec(ctx); err != nil {
		return 0, nil, fmt.Errorf("see who is in room %q: %w", room, wrap(err))
	}
	found, _ := some.Val()
	for i := 0; i+1 < len(found) && len(people) < PresentMost; i += 2 {
		var person struct{ Name string }
		if json.Unmarshal([]byte(found[i+1]), &person) == nil {
			people = append(people, User{found[i], person.Name})
		}
	}
	return int(total.Val()), people, nil
}

// Beat says that the server lives, and is to be taken to live for so long. It returns
// false if Redis did not know that, or that is not known: the server is new, or was taken
// for dead, and must Enter its people again. (Of a beat that was repeated it would seem to
// have known: hence a client that repeats nothing.)
func (s *Store) Beat(ctx context.Context, server string, lasts time.Duration) (known bool, err error) {
	key := s.keys.servers()
	node, err := conns.Node(ctx, s.redis.Unretried, key)
	var added bool
	if err == nil {
		added, err = heartbeatScript.Run(ctx, node, []string{key}, server, lasts.Milliseconds()).Bool()
	}
	if err != nil {
		return false, fmt.Errorf("say that this server lives: %w", wrap(err))
	}
	return !added, nil
}

// Sweep has everybody leave who was in a room by a server that died.
func (s *Store) Sweep(ctx context.Context) error {
	dead, err := deadServersScript.Run(ctx, s.redis.Retrying, []string{s.keys.servers()}).StringSlice()
	if err != nil {
		return fmt.Errorf("look for dead servers: %w", wrap(err))
	}
	for _, server := range dead {
		if err := s.Bury(ctx, server); err != nil {
			return err
		}
	}
	return nil
}

// Bury has everybody leave who is in a room by the server, and forgets it. It may
// be done twice, and by several.
func (s *Store) Bury(ctx context.Context, server string) error {
	rooms, err := s.redis.Retrying.SMembers(ctx, s.keys.serverRooms(server)).Result()
	if err != nil {
		return fmt.Errorf("find the rooms of a server: %w", wrap(err))
	}
	for _, room := range rooms {
		if _, err := s.enter(ctx, room, server, "lost"); err != nil {
			return err
		}
	}
	if err := s.redis.Retrying.Del(ctx, s.keys.serverRooms(server)).Err(); err != nil {
		return fmt.Errorf("forget a server: %w", wrap(err))
	}
	if err := s.redis.Retrying.ZRem(ctx, s.keys.servers(), server).Err(); err != nil {
		return fmt.Errorf("forget a server: %w", wrap(err))
	}
	return nil
}
