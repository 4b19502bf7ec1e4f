package streams

import (
	"cmp"
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

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"
)

// MaxDirect is the maximum number of members of a direct room, including its creator. The minimum is 2.
const MaxDirect = 8

// ErrBadMembers means that a direct room would have too few or too many members.
var ErrBadMembers = errors.New("a direct room has 2 to 8 members")

// CreatePublic creates a public room with a title, which may be empty. If the user has an account, they become
// its moderator. It returns false if the room exists, unless the same user has created it with the same
// idempotency key.
func (a Access) CreatePublic(ctx context.Context, room, key, title string) (created bool, err error) {
	if IsHidden(room) {
		return false, ErrHidden
	}
	granted, err := a.admit(room, writing)
	if err != nil {
		return false, err
	}
	role := NoRole
	if a.rank >= Account {
		role = RoomModerator
	}
	return a.store.create(ctx, granted, newRoom{kind: "public", key: key, title: title, role: role})
}

// CreatePrivate creates a private room that the user moderates, and adds the other members. It returns the
// room's random name. The user must have an account.
func (a Access) CreatePrivate(ctx context.Context, title string, others []User) (room string, err error) {
	var random [16]byte
	rand.Read(random[:])
	return a.createPrivate(ctx, random[:], title, others)
}

// CreatePrivateOnce is like CreatePrivate, but repeated calls with the same secret and key create only one
// room, whose name is derived from them.
func (a Access) CreatePrivateOnce(ctx context.Context, secret []byte, key, title string, others []User) (room string, err error) {
	return a.createPrivate(ctx, deriveName(secret, "private room", a.user.ID, strings.ToLower(key)), title, others)
}

func (a Access) createPrivate(ctx context.Context, random []byte, title string, others []User) (room string, err error) {
	room = privatePrefix + encodeName(random)
	_, err = a.createHidden(ctx, room, newRoom{kind: "private", title: title, role: RoomModerator, others: others})
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
	room = DirectRoom(secret, ids...)
	isNew, err = a.createHidden(ctx, room, newRoom{kind: "direct", role: Ordinary, others: others})
	return room, isNew, err
}

// DirectRoom returns the name of the direct room of the users, which need not exist.
func DirectRoom(secret []byte, userIDs ...string) string {
	ids := slices.Compact(slices.Sorted(slices.Values(userIDs)))
	return directPrefix + encodeName(deriveName(secret, append([]string{"direct room"}, ids...)...))
}

// deriveName returns a MAC of the parts, for encodeName.
func deriveName(secret []byte, parts ...string) []byte {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(strings.Join(parts, "\n")))
	return mac.Sum(nil)
}

// encodeName encodes the first 100 bits of random in base32, as the hiddenRandom characters of a room's name.
func encodeName(random []byte) string {
	return strings.ToLower(base32.StdEncoding.EncodeToString(random))[:hiddenRandom]
}

// createHidden adds a hidden room to its members' lists, and creates it. It returns false if the room exists.
// Retries are safe.
func (a Access) createHidden(ctx context.Context, room string, wanted newRoom) (isNew bool, err error) {
	granted, err := a.admit(room, writing)
	if err != nil {
		return false, err
	}
	members := []string{a.user.ID}
	wanted.others = slices.DeleteFunc(slices.Clone(wanted.others), func(other User) bool {
		isKnown := slices.Contains(members, other.ID)
		members = append(members, other.ID)
		return isKnown
	})
	wanted.key = uuid.NewString() // lets a retry in RunDurably recognize the room that it has created
	// The lists come first. If the server dies in between, they contain a room that does not exist, which is
	// never shown. In the other order, members could not find their room.
	if err := a.store.listFor(ctx, room, members...); err != nil {
		return false, err
	}
	return a.store.create(ctx, granted, wanted)
}

// newRoom describes a room to create.
type newRoom struct {
	kind, title string // kind is "public", "private" or "direct"
	key         string // the first entry's idempotency key
	role        Role   // of the creator; NoRole in a public room whose creator has no account
	others      []User // the other members
}

// create creates a room. It returns false if the room exists, unless the same user has created it with the
// same key.
func (s *Store) create(ctx context.Context, granted grant, wanted newRoom) (created bool, err error) {
	room, role := granted.room, string(wanted.role)
	if wanted.role == NoRole {
		role = ""
	}
	args := []any{room, rand.Text()[:12], randomSeq(), wanted.key, wanted.kind, wanted.title, granted.user.ID, granted.user.Name, role}
	for _, other := range wanted.others {
		args = append(args, other.ID, other.Name)
	}
	keys := append(s.keys.history(room), s.keys.members(room), s.keys.activity(bucketOf(room)), s.keys.list(room))
	cmd, unconfirmed := s.redis.RunDurably(ctx, conns.Call{Script: createRoomScript, Weight: 1, Keys: keys, Args: args})
	reply, err := cmd.Text()
	if err = cmp.Or(err, unconfirmed); err != nil {
		return false, fmt.Errorf("create a %s room: %w", wanted.kind, wrap(err))
	}
	return reply == "created", nil
}

// listFor adds the room to the users' lists of hidden rooms.
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
		return fmt.Errorf("add a hidden room to its members' lists: %w", wrap(err))
	}
	return nil
}

// listMember adds the room to a new member's list of hidden rooms, or removes it from a former member's.
func (s *Store) listMember(ctx context.Context, room string, changed *Entry) error {
	if changed.Role == NoRole {
		return s.unlistFor(ctx, room, changed.Member.ID)
	}
	return s.listFor(ctx, room, changed.Member.ID)
}

// DeleteRoom deletes the room with all its entries. The room's readers end with the reason Deleted. The user
// must be an Owner. If DeleteRoom returns ErrUnconfirmed, it has deleted the room.
func (a Access) DeleteRoom(ctx context.Context, room string) error {
	granted, err := a.admit(room, writing)
	if err != nil {
		return err
	}
	s := a.store
	keys := append(s.keys.history(room), s.keys.activity(bucketOf(room)), s.keys.list(room), s.keys.members(room), s.keys.present(room))
	call := conns.Call{Script: deleteRoomScript, Weight: 2, Keys: keys, Args: []any{room, granted.user.ID, granted.rank.name()}}
	cmd, unconfirmed := s.redis.RunDurably(ctx, call)
	reply, err := cmd.StringSlice()
	switch {
	case err == nil && reply[0] == "deleted":
		if err := s.unlistFor(ctx, room, reply[1:]...); err != nil || unconfirmed == nil {
			return err
		}
		return fmt.Errorf("delete room %q: %w", room, ErrUnconfirmed)
	case cmp.Or(err, unconfirmed) != nil:
		return fmt.Errorf("delete room %q: %w", room, wrap(cmp.Or(err, unconfirmed)))
	case reply[0] == "no_room":
		return ErrNoRoom
	}
	return refusals[reply[0]]
}

// unlistFor removes the room from the users' lists of hidden rooms. It then adds it again for users who have
// become members in the meantime.
func (s *Store) unlistFor(ctx context.Context, room string, users ...string) error {
	if !IsHidden(room) {
		return nil
	}
	removed := make([]*redis.IntCmd, len(users))
	err := s.redis.Pipeline(ctx, 1+len(users)/100, func(pipe redis.Pipeliner) {
		for i, id := range users {
			removed[i] = pipe.SRem(ctx, s.keys.userRooms(id), room)
		}
	})
	for _, cmd := range removed {
		err = cmp.Or(err, cmd.Err())
	}
	var again []string
	if err == nil {
		again, err = s.membersAmong(ctx, room, users)
	}
	if err != nil {
		return fmt.Errorf("remove room %q from the lists of users: %w", room, wrap(err))
	}
	if len(again) == 0 {
		return nil
	}
	return s.listFor(ctx, room, again...)
}

// membersAmong returns which of the users are members of the room.
func (s *Store) membersAmong(ctx context.Context, room string, users []string) (members []string, err error) {
	if len(users) == 0 {
		return nil, nil
	}
	values, err := conns.Do(ctx, s.redis, 1+len(users)/100, func(pipe redis.Pipeliner) *redis.SliceCmd {
		return pipe.HMGet(ctx, s.keys.members(room), users...)
	})
	if err != nil {
		return nil, err
	}
	for i, value := range values.Val() {
		if text, ok := value.(string); ok && isMember(text) {
			members = append(members, users[i])
		}
	}
	return members, nil
}

// closeDeleted ends the readers of a deleted room.
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
