package caller

import (
	"errors"
	"time"

	"burble/app/accounts"
	"burble/app/protocol"
)

// accountErrors maps the errors of package accounts to the errors that clients see.
var accountErrors = []struct {
	err   error
	shown protocol.Error
}{
	{accounts.ErrFull, protocol.Error{Code: protocol.Full, Message: "Storage is full. Nothing was changed; try again later.",
		Title: "Storage is full", Detail: "Nothing was changed. Try again later."}},
	{accounts.ErrUnavailable, protocol.Error{Code: protocol.Unavailable, RetryAfter: 2 * time.Second,
		Message: "Accounts are unavailable. Try again with the same key.", Title: "Accounts are unavailable", Detail: "Try again in a moment."}},
	{accounts.ErrCode, protocol.Error{Code: protocol.NotFound, Field: "code", Message: "The link is invalid or no longer valid.",
		Title: "This link is invalid or no longer valid", Detail: "It may have been used or revoked, or have expired. Ask for a new one."}},
	{accounts.ErrRefused, protocol.Error{Code: protocol.NotAllowed, Message: "The sign-in was refused. Start it again.",
		Title: "You were not signed in", Detail: "Go back and try again."}},
	{accounts.ErrSignedOut, protocol.Error{Code: protocol.NotAllowed, Message: "The session has ended. Sign in again.", Title: "You are signed out"}},
	{accounts.ErrBanned, protocol.Error{Code: protocol.NotAllowed, Message: "This person is banned from this server.", Title: "You are banned from this server", Detail: "If you think this is a mistake, ask a moderator."}},
	{accounts.ErrUpgraded, protocol.Error{Code: protocol.NotAllowed, Message: "This guest has an account now. Sign in."}},
	{accounts.ErrExists, protocol.Error{Code: protocol.NotAllowed, Message: "This account already exists, or has too many passkeys.",
		Title: "This account already exists", Detail: "Sign in instead."}},
	{accounts.ErrUnknown, protocol.Error{Code: protocol.NotFound, Field: "user", Message: "This person does not exist."}},
	{accounts.ErrNotAllowed, protocol.Error{Code: protocol.NotAllowed, Message: "You are not allowed to do this.",
		Title: "You are not allowed to do this", Detail: "Ask a moderator or an owner."}},
	{accounts.ErrLastOwner, protocol.Error{Code: protocol.NotAllowed, Message: "The last owner cannot leave or be demoted. Make someone else an owner first.",
		Title: "You are the last owner", Detail: "Make someone else an owner first."}},
}

// AsError converts an error from package accounts to one for clients. It returns other errors unchanged.
func AsError(err error) error {
	for _, entry := range accountErrors {
		if errors.Is(err, entry.err) {
			shown := entry.shown
			shown.Cause = err
			return &shown
		}
	}
	return err
}

// AsCodeError is like AsError, for a request with the code of a link. The response does not reveal whether the code is
// wrong, or belongs to a former or banned user.
func AsCodeError(err error) error {
	if errors.Is(err, accounts.ErrUnknown) || errors.Is(err, accounts.ErrBanned) || errors.Is(err, accounts.ErrNotAllowed) {
		err = accounts.ErrCode
	}
	return AsError(err)
}
