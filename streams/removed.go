package streams

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"burble/streams/conns"

	"github.com/redis/go-redis/v9"
)

// RemovalID returns the ID of the entry that ended a former member's membership in the room, because they left or
// were removed. It returns the zero ID for other users.
func (a Access) RemovalID(ctx context.Context, room, userID string) (ID, error) {
	granted, err := a.admit(room, reading)
	if err != nil {
		return ID{}, err
	}
	s := a.store
	var own *redis.StringCmd
	found, err := conns.Do(ctx, s.redis, 1, func(pipe redis.Pipeliner) *redis.StringCmd {
		former := pipe.HGet(ctx, s.keys.members(granted.room), userID)
		own = s.queryMember(ctx, pipe, granted)
		return former
	})
	if err != nil && !errors.Is(err, redis.Nil) {
		return ID{}, fmt.Errorf("read a former member of room %q: %w", room, wrap(err))
	}
	if err := checkMember(own); err != nil || !strings.HasPrefix(found.Val(), string(NoRole)+" ") {
		return ID{}, err
	}
	former, err := parseMember(userID, found.Val())
	return former.Since, err
}

// PrivateRooms returns the names of the private rooms in the user's list of hidden rooms. The list is only an index:
// the user may not be a member of all of them.
func (a Access) PrivateRooms(ctx context.Context) ([]string, error) {
	all, err := a.store.redis.Retrying.SMembers(ctx, a.store.keys.userRooms(a.user.ID)).Result()
	if err != nil {
		return nil, fmt.Errorf("list the private rooms of a user: %w", wrap(err))
	}
	return slices.DeleteFunc(all, func(room string) bool { return !strings.HasPrefix(room, privatePrefix) }), nil
}
