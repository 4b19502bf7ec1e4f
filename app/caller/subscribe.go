package caller

import (
	"context"
	"errors"

	"burble/app/accounts"
	"burble/app/identity"

	"github.com/google/uuid"
)

// Connection is an open connection, which a Subscription ends when its session ends.
type Connection interface {
	// SignOut notifies the client that its session has ended, and closes the connection.
	SignOut()
	// Reconnect closes the connection, so that the client connects again.
	Reconnect()
}

// Subscription ends a Connection when its session ends, or when its user's name or role changes. There is one for each
// open connection, so it does not hold the Caller, to save memory.
type Subscription struct {
	accounts   *accounts.Accounts
	connection Connection
	user       identity.User
	session    accounts.Session // zero for a guest
}

// Subscribe returns a Subscription for the connection. If the session has already ended, Subscribe
// ends the connection immediately. The caller must call End when the connection is closed.
func (i *Identifier) Subscribe(ctx context.Context, caller *Caller, connection Connection) *Subscription {
	s := &Subscription{accounts: i.options.Accounts, connection: connection, user: caller.User}
	switch {
	case caller.Session != nil:
		s.session = *caller.Session
		s.SessionChanged(s.accounts.Subscribe(ctx, s.session, s))
	case !s.user.IsZero():
		if err := s.accounts.SubscribeGuest(ctx, s.user.ID, s); err != nil {
			s.SessionChanged(accounts.Verdict{}, err)
		}
	}
	return s
}

// End ends the Subscription.
func (s *Subscription) End() {
	switch {
	case s.session.ID != uuid.Nil:
		s.accounts.Unsubscribe(s.session, s)
	case !s.user.IsZero():
		s.accounts.UnsubscribeGuest(s.user.ID, s)
	}
}

// SessionChanged implements accounts.Subscriber.
func (s *Subscription) SessionChanged(verdict accounts.Verdict, err error) {
	switch {
	case err == nil && userOf(verdict) == s.user:
	case err == nil, errors.Is(err, accounts.ErrUnavailable):
		s.connection.Reconnect()
	default:
		s.connection.SignOut()
	}
}
