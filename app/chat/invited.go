package chat

import (
	"context"
	"errors"
	"time"

	"burble/app/identity"
	"burble/streams"

	"github.com/google/uuid"
)

// MayInvite returns nil if the user may invite people to the room: members to a private room, and moderators
// of the server to a public one.
func (s *Service) MayInvite(ctx context.Context, user identity.User, room string) error {
	if !streams.IsHidden(room) {
		if user.Rank < identity.Moderator {
			return streams.ErrNotModerator
		}
		return streams.CheckRoom(room)
	}
	about, err := s.as(user).About(ctx, room)
	if err == nil && about.Kind == "direct" {
		err = streams.ErrDirect
	}
	return err
}

// JoinInvited adds a person to the private room of the invite that they redeemed. inviter must still be a member.
// If the person left or was removed at since or later, JoinInvited does not add them. key is the idempotency key, the
// same for each retry.
func (s *Service) JoinInvited(inviter, person identity.User, room, key string, since time.Time) error {
	ctx, cancel := context.WithTimeout(s.ctx, callTimeout)
	defer cancel()
	access := s.as(inviter)
	if s.as(person).CheckAccess(ctx, room) == nil {
		return nil
	}
	removed, err := access.RemovalID(ctx, room, person.ID)
	if err != nil {
		return err
	}
	if !removed.IsZero() && !removed.Time().Before(since) {
		return streams.ErrHidden
	}
	_, err = access.AppendExisting(ctx, room, streams.Entry{Kind: streams.MemberChanged, Key: key, Member: author(person), Role: streams.Ordinary})
	return err
}

// LeaveRooms removes the user from all private rooms.
func (s *Service) LeaveRooms(user identity.User) error {
	ctx, cancel := context.WithTimeout(s.ctx, callTimeout)
	defer cancel()
	access := s.as(user)
	rooms, err := access.PrivateRooms(ctx)
	for _, room := range rooms {
		entry := streams.Entry{Kind: streams.MemberChanged, Key: uuid.NewString(), Member: author(user), Role: streams.NoRole}
		_, left := access.AppendExisting(ctx, room, entry)
		if !errors.Is(left, streams.ErrHidden) && !errors.Is(left, streams.ErrNoRoom) {
			err = errors.Join(err, left)
		}
	}
	return err
}
