package chat

import (
	"context"

	"burble/app/identity"
	"burble/streams"

	"github.com/google/uuid"
)

// Operator is the author of what the program's commands do.
var Operator = identity.User{ID: uuid.Nil.String(), Name: "The operator"}

// Record records in the audit log what the user did, as an Action of package protocol and its fields. key is as in
// Append, or "". Callers record an action after it has succeeded, and report an error of Record, so that the
// user repeats the action. Record removes the name of a hidden room, which other moderators may not see.
func (s *Service) Record(by identity.User, key string, action streams.Entry) error {
	if streams.IsHidden(action.Room) {
		action.Room = ""
	}
	if action.Key = key; key == "" {
		action.Key = uuid.NewString()
	}
	ctx, cancel := context.WithTimeout(s.ctx, callTimeout)
	defer cancel()
	_, err := s.as(by).Record(ctx, action)
	return err
}

// Audited returns up to limit Audit entries before an ID, or the newest, newest first.
func (s *Service) Audited(ctx context.Context, user identity.User, before streams.ID, limit int) ([]streams.Entry, error) {
	return s.as(user).Audited(ctx, before, limit)
}
