package caller

import (
	"context"
	"errors"

	"burble/app/accounts"
	"burble/app/identity"
)

// A Connection stays open longer than a request.
type Connection interface {
	// SignOut tells the client that its session has ended, and closes the connection.
	SignOut()
	// Reconnect closes the connection, so that the client connects again.
	Reconnect()
}

// Subscribe makes the connection end when its session ends, or when its user's name or role changes. If the
// session has ended already, Subscribe ends the connection at once. The caller must call unsubscribe when the
// connection is closed.
func (i *Identifier) Subscribe(ctx context.Context, caller *Caller, connection Connection) (unsubscribe func()) {
	s := &subscription{connection: connection, user: caller.User}
	var err error
	switch {
	case caller.Session != nil:
		var verdict accounts.Verdict
		if verdict, err = i.options.Accounts.Subscribe(ctx, *caller.Session, s); err == nil {
			s.SessionChanged(verdict, nil)
		}
		unsubscribe = func() { i.options.Accounts.Unsubscribe(*caller.Session, s) }
	case !caller.User.IsZero():
		err = i.options.Accounts.SubscribeGuest(ctx, caller.User.ID, s)
		unsubscribe = func() { i.options.Accounts.UnsubscribeGuest(caller.User.ID, s) }
	default:
		return func() {}
	}
	if err != nil {
		s.SessionChanged(accounts.Verdict{}, err)
		return func() {}
	}
	return unsubscribe
}

// subscription is a Connection as package accounts notifies it.
type subscription struct {
	connection Connection
	user       identity.User
}

// SessionChanged implements accounts.Subscriber.
func (s *subscription) SessionChanged(verdict accounts.Verdict, err error) {
	switch {
	case err == nil && userOf(verdict) == s.user:
	case err == nil, errors.Is(err, accounts.ErrUnavailable):
		s.connection.Reconnect()
	default:
		s.connection.SignOut()
	}
}
