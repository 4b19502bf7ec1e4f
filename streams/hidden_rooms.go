package streams

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"slices"
	"strings"

	"burble/streams/conns"

	"github.com/redis/go-redis/v9"
)

// A direct room has 2 to MaxDirect members.
const MaxDirect = 8

// ErrBadMembers means that a direct room would have too few or too many members.
var ErrBadMembers = errors.New("a direct room has 2 to 8 members")

// CreatePrivate creates a private room that the user moderates, and adds the other members. It returns the
// room's random name. The user must have an account.
func (a Access) CreatePrivate(ctx context.Context, title string, others []User) (room string, err error) {
	var random [16]byte
	rand.Read(random[:])
	room = privatePrefix + encodeName(random[:])
	_, err = a.createHidden(ctx, room, "private", title, others)
	return room, err
}

// CreateDirect creates the direct room of the user and the others, unless it exists. The same people
// always have the same room. Its name is derived from their IDs with the secret.
func (a Access) CreateDirect(ctx context.Context, secret []byte, others []User) (room string, isNew bool, err error) {
	ids := []string{a.user.ID}
	for _, other := range others {
		ids = append(ids, other.ID)
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	if len(ids) < 2 || len(ids) > MaxDirect {
		return "", false, ErrBadMembers
	}
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte("direct room\n" + strings.Join(ids, "\n")))
	room = directPrefix + encodeName(mac.Sum(nil))
	isNew, err = a.createHidden(ctx, room, "direct", "", others)
	return room, isNew, err
}

// encodeName returns the first 100 bits of random as hiddenRandom characters.
func encodeName(random []byte) string {
	return strings.ToLower(base32.StdEncoding.EncodeToString(random))[:hiddenRandom]
}

// createHidden creates a hidden room. It returns false if the room exists. Retries are safe.
func (a Access) createHidden(ctx context.Context, room, kind, title string, others []User) (isNew bool, err error) {
	granted, err := a.admit(room, writing)
	if err != nil {
		return false, err
	}
	s := a.store
	args := []any{room, rand.Text()[:12], randomSeq(), kind, title, a.user.ID, a.user.Name}
	members := []string{a.user.ID}
	for _, other := range others {
		if !slices.Contains(members, other.ID) {
			members = append(members, other.ID)
			args = append(args, other.ID, other.Name)
		}
	}
	keys := []string{s.keys.room(room), s.keys.meta(room), s.keys.members(room), s.keys.activity(bucketOf(room)), s.keys.list(room)}
	reply, err := s.runScript(ctx, scriptCall{script: createRoomScript, weight: 1, keys: keys, args: args}).Text()
	if err != nil {
		return false, fmt.Errorf("create a %s room: %w", kind, wrap(err))
	}
	return reply == "created", s.listFor(ctx, granted.room, members...)
}

// listFor adds the room to the hidden rooms of the users.
func (s *Store) listFor(ctx context.Context, room string, users ...string) error {
	added := make([]*redis.IntCmd, len(users))
	err := s.redis.Pipeline(ctx, 1+len(users)/100, func(pipe redis.Pipeliner) {
		for i, id := range users {
			added[i] = pipe.SAdd(ctx, s.keys.userRooms(id), room)
		}
	})
	for _, cmd := range added {
		if err == nil {
			err = cmd.Err()
		}
	}
	if err != nil {
		return fmt.Errorf("list a hidden room for its members: %w", wrap(err))
	}
	return nil
}

// listMember lists the room for a new member, or no longer lists it for a former one.
func (s *Store) listMember(ctx context.Context, room string, changed *Entry) error {
	if changed.Role == NoRole {
		return s.unlistFor(ctx, room, changed.Member.ID)
	}
	return s.listFor(ctx, room, changed.Member.ID)
}

// DeleteRoom deletes the room with all its entries. Readers get the Closed reason Deleted. The user must be
// an Owner.
func (a Access) DeleteRoom(ctx context.Context, room string) error {
	granted, err := a.admit(room, writing)
	if err != nil {
		return err
	}
	s := a.store
	keys := append(s.keys.history(room), s.keys.activity(bucketOf(room)), s.keys.list(room), s.keys.members(room), s.keys.present(room))
	call := scriptCall{script: deleteRoomScript, weight: 2, keys: keys, args: []any{room, granted.user.ID, granted.rank.name()}}
	reply, err := s.runScript(ctx, call).StringSlice()
	if err != nil {
		return fmt.Errorf("delete room %q: %w", room, wrap(err))
	}
	switch reply[0] {
	case "deleted":
		return s.unlistFor(ctx, room, reply[1:]...)
	case "no_room":
		return ErrNoRoom
	}
	return refusals[reply[0]]
}

// unlistFor removes the room from the hidden rooms of the users.
func (s *Store) unlistFor(ctx context.Context, room string, users ...string) error {
	if !IsHidden(room) {
		return nil
	}
	for _, id := range users {
		_, err := conns.Do(ctx, s.redis, 1, func(pipe redis.Pipeliner) *redis.IntCmd { return pipe.SRem(ctx, s.keys.userRooms(id), room) })
		if err != nil {
			return fmt.Errorf("remove room %q from the list of a user: %w", room, wrap(err))
		}
	}
	return nil
}

// closeDeleted ends the readers of a room that was deleted.
func (s *Store) closeDeleted(room string) {
	s.mu.Lock()
	w := s.windows[room]
	delete(s.windows, room)
	s.mu.Unlock()
	if w != nil {
		w.isDeleted.Store(true)
		w.wake()
	}
}
