package chat

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"burble/app/identity"
	"burble/app/protocol"
	"burble/streams"
	"burble/streams/fold"

	"github.com/google/uuid"
)

// Member is a member of a room.
type Member struct {
	streams.Member
	Name string
}

// Members returns the members of a room, moderators first, and then by name. In a public room, these are its
// moderators, and those who are or were muted.
func (s *Service) Members(ctx context.Context, user identity.User, room string) ([]Member, error) {
	members, err := s.as(user).Members(ctx, room)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(members))
	for i, member := range members {
		ids[i] = member.ID
	}
	found, err := s.find(ctx, ids...)
	if err != nil {
		return nil, err
	}
	var unknown []streams.Member // guests, and people who deleted their account
	for _, member := range members {
		if found[member.ID].IsZero() {
			unknown = append(unknown, member)
		}
	}
	var names map[string]string
	if len(unknown) > 0 {
		if names, err = s.as(user).MemberNames(ctx, room, unknown); err != nil {
			return nil, err
		}
	}
	named := make([]Member, len(members))
	for i, member := range members {
		named[i] = Member{member, cmp.Or(found[member.ID].Name, names[member.ID], "Someone")}
	}
	slices.SortFunc(named, func(a, b Member) int {
		return cmp.Or(-cmp.Compare(a.Role, b.Role), cmp.Compare(fold.String(a.Name), fold.String(b.Name)), cmp.Compare(a.ID, b.ID))
	})
	return named, nil
}

// ChangeMember adds, changes or removes a member of a room. A change without effect stores nothing, and
// returns the ID of the entry that made the user a member.
func (s *Service) ChangeMember(user identity.User, address, room, memberID string, change protocol.MemberChange) (streams.Stored, error) {
	if user.IsZero() {
		return streams.Stored{}, protocol.NameRequired()
	}
	ctx, cancel := context.WithTimeout(s.ctx, callTimeout)
	defer cancel()
	current, err := s.as(user).Member(ctx, room, memberID)
	if err != nil {
		return streams.Stored{}, err
	}
	if change.Role == "" {
		if change.Role = current.Role; change.Role == streams.NoRole {
			change.Role = streams.Ordinary
		}
	}
	isSame := change.Role == current.Role && change.MutedUntil.Equal(current.MutedUntil)
	if isSame && current.Role != streams.NoRole {
		return streams.Stored{Cursor: streams.Cursor{ID: current.Since}, Repeated: true}, nil
	}
	name, err := s.nameOf(ctx, user, room, current)
	if err != nil {
		return streams.Stored{}, err
	}
	entry := streams.Entry{
		Kind: streams.MemberChanged, Key: cmp.Or(change.Key, uuid.NewString()), Member: streams.User{ID: memberID, Name: name},
		Role: change.Role, MutedUntil: change.MutedUntil, Reason: change.Reason,
	}
	stored, err := s.appendChange(user, address, room, entry)
	if err != nil {
		return stored, err
	}
	action := streams.Entry{Room: room, Member: entry.Member, Reason: entry.Reason}
	for _, action.Action = range actionsOf(user, current, &entry) {
		action.Role, action.MutedUntil = "", time.Time{}
		switch action.Action {
		case protocol.ActionRoomRole:
			action.Role = entry.Role
		case protocol.ActionMute:
			action.MutedUntil = entry.MutedUntil
		}
		err = errors.Join(err, s.recordChange(user, entry.Key, action))
	}
	return stored, err
}

// actionsOf returns the actions that the audit log records for an entry. It records neither that a member was added
// nor that one has left.
func actionsOf(user identity.User, before streams.Member, entry *streams.Entry) (actions []string) {
	wasModerator, isModerator := before.Role == streams.RoomModerator, entry.Role == streams.RoomModerator
	switch {
	case entry.Role == streams.NoRole && entry.Member.ID == user.ID:
		return nil
	case entry.Role == streams.NoRole:
		return []string{protocol.ActionRemove}
	case wasModerator != isModerator:
		actions = append(actions, protocol.ActionRoomRole)
	}
	switch {
	case before.MutedUntil.Equal(entry.MutedUntil), before.Role == streams.NoRole && entry.MutedUntil.IsZero():
	case entry.MutedUntil.IsZero():
		actions = append(actions, protocol.ActionUnmute)
	default:
		actions = append(actions, protocol.ActionMute)
	}
	return actions
}

// nameOf returns the name of a user whose membership changes. A guest is known in a public room if they wrote
// one of its newest entries or are present.
func (s *Service) nameOf(ctx context.Context, user identity.User, room string, member streams.Member) (string, error) {
	found, err := s.find(ctx, member.ID)
	if err != nil {
		return "", err
	}
	if account := found[member.ID]; !account.IsZero() {
		return account.Name, nil
	}
	if member.Role != streams.NoRole {
		names, err := s.as(user).MemberNames(ctx, room, []streams.Member{member})
		return cmp.Or(names[member.ID], "Someone"), err
	}
	name := ""
	if !streams.IsHidden(room) {
		if name, err = s.as(user).NameIn(ctx, room, member.ID); errors.Is(err, streams.ErrHidden) {
			err = nil
		}
	}
	if err == nil && name == "" {
		err = protocol.ErrUnknownUser
	}
	return name, err
}
