package chat

import (
	"context"

	"burble/app/identity"
	"burble/streams"

	"github.com/google/uuid"
)

// Operator is the author of entries that the program's commands append, such as burble owner.
var Operator = identity.User{ID: uuid.Nil.String(), Name: "The operator"}

// Record records an action of the user in the audit log. action has an Action of package protocol and the fields
// that belong to it. key is an idempotency key, or "" for a new one. Callers record an action after it has succeeded, and return an error of Record to the user, who can then repeat the action. Record removes the
// name of a hidden room, because other moderators may not see it.
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

// AuditLog returns up to limit Audit entries before an ID, or the newest, newest first.
func (s *Service) AuditLog(ctx context.Context, user identity.User, before streams.ID, limit int) ([]streams.Entry, error) {
	return s.as(user).AuditLog(ctx, before, limit)
}
