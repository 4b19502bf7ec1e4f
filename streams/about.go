package streams

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"burble/streams/conns"

	"github.com/redis/go-redis/v9"
)

// About describes a room to one user.
type About struct {
	Topic    string
	Kind     string // "public", "private" or "direct"
	Settings Settings
	Own      Member // the user as a member; has NoRole if they are not one
}

// About describes the room. A public room without entries has no topic and no settings.
func (a Access) About(ctx context.Context, room string) (About, error) {
	granted, err := a.admit(room, reading)
	if err != nil {
		return About{}, err
	}
	s := a.store
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	var own *redis.StringCmd
	meta, err := conns.Do(ctx, s.redis, 1, func(pipe redis.Pipeliner) *redis.SliceCmd {
		found := pipe.HMGet(ctx, s.keys.meta(granted.room), "topic", "kind", "title", "archived", "locked")
		if a.user.ID != "" {
			own = pipe.HGet(ctx, s.keys.members(granted.room), a.user.ID)
		}
		return found
	})
	if err == nil && own != nil && !errors.Is(own.Err(), redis.Nil) {
		err = own.Err()
	}
	if err != nil {
		return About{}, fmt.Errorf("read the description of room %q: %w", room, wrap(err))
	}
	if granted.ifMember {
		if err := checkMember(own); err != nil {
			return About{}, err
		}
	}
	text := func(i int) string { value, _ := meta.Val()[i].(string); return value }
	about := About{
		Topic: text(0), Kind: text(1), Settings: Settings{Title: text(2), Archived: text(3) == "1", Locked: text(4) == "1"},
		Own: Member{ID: a.user.ID, Role: NoRole},
	}
	if about.Kind == "" {
		about.Kind = "public"
	}
	if own != nil && isMember(own.Val()) {
		about.Own, err = parseMember(a.user.ID, own.Val())
	}
	return about, err
}

// maxChangesRead is the maximum number of entries that Changes examines.
const maxChangesRead = 250

// Changes returns the entries of the kinds MemberChanged and SettingsChanged in (after, upTo], oldest first. It
// examines only the newest maxChangesRead entries in that range.
func (a Access) Changes(ctx context.Context, room string, after, upTo ID) ([]Entry, error) {
	granted, err := a.admit(room, reading)
	if err != nil {
		return nil, err
	}
	s := a.store
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	var member *redis.StringCmd
	found, err := conns.Do(ctx, s.redis, 1+maxChangesRead/50, func(pipe redis.Pipeliner) *redis.XMessageSliceCmd {
		newest := pipe.XRevRangeN(ctx, s.keys.room(granted.room), upTo.String(), "("+after.String(), maxChangesRead)
		member = s.queryMember(ctx, pipe, granted)
		return newest
	})
	if err != nil && !errors.Is(err, redis.Nil) {
		return nil, fmt.Errorf("read the changes of room %q: %w", room, wrap(err))
	}
	if err := checkMember(member); err != nil {
		return nil, err
	}
	changes := slices.DeleteFunc(parseEntries(found.Val()), func(entry Entry) bool { return entry.Kind != MemberChanged && entry.Kind != SettingsChanged })
	slices.Reverse(changes)
	return changes, nil
}

// Member returns a member of the room, or a Member with NoRole.
func (a Access) Member(ctx context.Context, room, userID string) (Member, error) {
	granted, err := a.admit(room, reading)
	if err != nil {
		return Member{}, err
	}
	s := a.store
	var own *redis.StringCmd
	found, err := conns.Do(ctx, s.redis, 1, func(pipe redis.Pipeliner) *redis.StringCmd {
		member := pipe.HGet(ctx, s.keys.members(granted.room), userID)
		own = s.queryMember(ctx, pipe, granted)
		return member
	})
	if err != nil && !errors.Is(err, redis.Nil) {
		return Member{}, fmt.Errorf("read a member of room %q: %w", room, wrap(err))
	}
	if err := checkMember(own); err != nil {
		return Member{}, err
	}
	if !isMember(found.Val()) {
		return Member{ID: userID, Role: NoRole}, nil
	}
	return parseMember(userID, found.Val())
}

// MemberNames returns the names that members had when they became members, by user ID. A name is missing if
// the entry that made the user a member is no longer kept.
func (a Access) MemberNames(ctx context.Context, room string, members []Member) (map[string]string, error) {
	granted, err := a.admit(room, reading)
	if err != nil {
		return nil, err
	}
	s := a.store
	entries := make([]*redis.XMessageSliceCmd, len(members))
	var own *redis.StringCmd
	err = s.redis.Pipeline(ctx, 1+len(members)/20, func(pipe redis.Pipeliner) {
		for i, member := range members {
			entries[i] = pipe.XRange(ctx, s.keys.room(granted.room), member.Since.String(), member.Since.String())
		}
		own = s.queryMember(ctx, pipe, granted)
	})
	names := make(map[string]string)
	for i := range entries {
		if err == nil {
			err = entries[i].Err()
		}
		for _, entry := range parseEntries(entries[i].Val()) {
			if entry.Kind == MemberChanged && entry.Member.ID == members[i].ID {
				names[members[i].ID] = entry.Member.Name
			}
		}
	}
	if err != nil {
		return nil, fmt.Errorf("read the names of members of room %q: %w", room, wrap(err))
	}
	if err := checkMember(own); err != nil {
		return nil, err
	}
	return names, nil
}

// NameIn returns the name of a user, as found in the room's newest entries or among the people present. It returns ""
// if the user is in neither.
func (a Access) NameIn(ctx context.Context, room, userID string) (string, error) {
	granted, err := a.admit(room, reading)
	if err != nil {
		return "", err
	}
	s := a.store
	var own *redis.StringCmd
	newest, err := conns.Do(ctx, s.redis, 1+maxNamesRead/50, func(pipe redis.Pipeliner) *redis.XMessageSliceCmd {
		found := pipe.XRevRangeN(ctx, s.keys.room(granted.room), "+", "-", maxNamesRead)
		own = s.queryMember(ctx, pipe, granted)
		return found
	})
	if err != nil {
		return "", fmt.Errorf("find a user in room %q: %w", room, wrap(err))
	}
	if err := checkMember(own); err != nil {
		return "", err
	}
	for _, entry := range parseEntries(newest.Val()) {
		if entry.User.ID == userID {
			return entry.User.Name, nil
		}
	}
	present := a.Present(ctx, room)
	for _, person := range present.People {
		if person.ID == userID {
			return person.Name, nil
		}
	}
	return "", present.Err
}

// scanCount is the approximate number of rooms that ScanRooms returns at a time.
const scanCount = 100

// ScanRooms returns some of the rooms that the user may read, and the cursor for the next call. A scan begins
// with the cursor "" and ends when next is "". It returns every room that exists throughout the scan,
// perhaps more than once. It may also return a hidden room that the user has just left. The methods that
// read the room refuse that.
func (a Access) ScanRooms(ctx context.Context, cursor string) (rooms []string, next string, err error) {
	s := a.store
	if cursor == "" {
		hidden, err := s.redis.Retrying.SMembers(ctx, s.keys.userRooms(a.user.ID)).Result()
		if err != nil {
			return nil, "", fmt.Errorf("scan the rooms: %w", wrap(err))
		}
		return hidden, "0:0", nil
	}
	first, second, _ := strings.Cut(cursor, ":")
	bucket, err := strconv.Atoi(first)
	if err != nil || bucket < 0 || bucket >= buckets {
		return nil, "", fmt.Errorf("scan the rooms: invalid cursor %q", cursor)
	}
	position, err := strconv.ParseUint(second, 10, 64)
	if err != nil {
		return nil, "", fmt.Errorf("scan the rooms: invalid cursor %q", cursor)
	}
	found, position, err := s.redis.Retrying.ZScan(ctx, s.keys.rooms(bucket), position, "", scanCount).Result()
	if err != nil {
		return nil, "", fmt.Errorf("scan the rooms: %w", wrap(err))
	}
	for i := 0; i < len(found); i += 2 { // names and scores alternate
		if _, err := a.admit(found[i], reading); err == nil {
			rooms = append(rooms, found[i])
		}
	}
	switch {
	case position != 0:
		next = fmt.Sprintf("%d:%d", bucket, position)
	case bucket+1 < buckets:
		next = fmt.Sprintf("%d:0", bucket+1)
	}
	return rooms, next, nil
}
