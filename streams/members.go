package streams

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"burble/streams/conns"

	"github.com/redis/go-redis/v9"
)

// Role is what a member may do in a room.
type Role string

// The roles.
const (
	NoRole        Role = "none" // not a member, or no longer one
	Ordinary      Role = "member"
	RoomModerator Role = "moderator"
)

// Settings are what a SettingsChanged entry sets.
type Settings struct {
	Title    string
	Archived bool // nobody may post
	Locked   bool // only moderators may post
}

// Member is a member of a room.
type Member struct {
	ID         string
	Role       Role
	Since      ID        // the entry that made them a member or, with NoRole, removed them
	MutedUntil time.Time // zero if they are not muted
}

// isMember reports whether value, from the members hash, belongs to a current member. value is "" for a user
// who is not in the hash.
func isMember(value string) bool { return value != "" && !strings.HasPrefix(value, string(NoRole)+" ") }

// parseMember parses a value of the members hash.
func parseMember(userID, value string) (Member, error) {
	fields := strings.Split(value, " ")
	if len(fields) != 3 {
		return Member{}, fmt.Errorf("the member %q has the invalid value %q", userID, value)
	}
	since, err := ParseID(fields[1])
	if err != nil {
		return Member{}, err
	}
	muted, err := parseMillis(fields[2])
	return Member{ID: userID, Role: Role(fields[0]), Since: since, MutedUntil: muted}, err
}

// millis formats a time as Unix milliseconds, the form in which Redis has it. It returns "" for the zero time.
func millis(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return strconv.FormatInt(t.UnixMilli(), 10)
}

// parseMillis parses what millis returns.
func parseMillis(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	ms, err := strconv.ParseInt(text, 10, 64)
	return time.UnixMilli(ms).UTC(), err
}

// CheckAccess returns nil if the user may read the room now, and otherwise an error such as ErrHidden.
// Callers need it only to answer a request before its reader starts: each read checks again.
func (a Access) CheckAccess(ctx context.Context, room string) error {
	granted, err := a.admit(room, reading)
	if err != nil || !granted.ifMember {
		return err
	}
	s := a.store
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	member, err := conns.Do(ctx, s.redis, 1, func(pipe redis.Pipeliner) *redis.StringCmd { return s.queryMember(ctx, pipe, granted) })
	if err != nil && !errors.Is(err, redis.Nil) {
		return fmt.Errorf("look up a member of room %q: %w", room, wrap(err))
	}
	return checkMember(member)
}

// queryMember adds a command to the pipeline that looks up whether the user is a member of the room. If
// everyone may read the room, it adds none and returns nil. The commands that read the room must come before it.
func (s *Store) queryMember(ctx context.Context, pipe redis.Pipeliner, granted grant) *redis.StringCmd {
	if !granted.ifMember {
		return nil
	}
	return pipe.HGet(ctx, s.keys.members(granted.room), granted.user.ID)
}

// checkMember returns ErrHidden if member, from queryMember, shows that the user is not a member.
func checkMember(member *redis.StringCmd) error {
	switch {
	case member == nil:
		return nil
	case errors.Is(member.Err(), redis.Nil):
		return ErrHidden
	case member.Err() != nil:
		return wrap(member.Err())
	case !isMember(member.Val()):
		return ErrHidden
	}
	return nil
}

// Members returns the room's members. In a public room, these are its moderators and those who are muted.
func (a Access) Members(ctx context.Context, room string) ([]Member, error) {
	granted, err := a.admit(room, reading)
	if err != nil {
		return nil, err
	}
	s := a.store
	all, err := conns.Do(ctx, s.redis, 10, func(pipe redis.Pipeliner) *redis.MapStringStringCmd {
		return pipe.HGetAll(ctx, s.keys.members(granted.room))
	})
	if err != nil {
		return nil, fmt.Errorf("read the members of room %q: %w", room, wrap(err))
	}
	if granted.ifMember && !isMember(all.Val()[a.user.ID]) {
		return nil, ErrHidden
	}
	members := make([]Member, 0, len(all.Val()))
	for id, value := range all.Val() {
		member, err := parseMember(id, value)
		if err != nil {
			return nil, fmt.Errorf("read the members of room %q: %w", room, err)
		}
		if member.Role != NoRole {
			members = append(members, member)
		}
	}
	return members, nil
}
