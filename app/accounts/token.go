package accounts

import (
	"crypto/hmac"
	"strconv"
	"strings"
	"time"

	"burble/app/identity"

	"github.com/google/uuid"
)

// tokenVersion is the prefix of the tokens of sessions. Guests have tokens of version 1, which package
// identity defines.
const tokenVersion = "2."

func userOf(s Session) string { return s.User.String() }
func idOf(s Session) string   { return s.ID.String() }

// Sign returns the session's token, "2.<user>.<session>.<expiry>.<MAC>", with the expiry in Unix seconds.
func (a *Accounts) Sign(s Session) string {
	claim := tokenVersion + userOf(s) + "." + idOf(s) + "." + strconv.FormatInt(s.Expiry.Unix(), 10)
	return claim + "." + a.macs.session.text(claim)
}

// IsToken reports whether the token belongs to a session, and not to a guest.
func IsToken(token string) bool { return strings.HasPrefix(token, tokenVersion) }

// Verify returns the session of a token that this server or another one has signed. It does not use
// Redis. The error is identity.ErrTokenInvalid or identity.ErrTokenExpired.
func (a *Accounts) Verify(token string) (Session, error) {
	dot := strings.LastIndexByte(token, '.')
	if !IsToken(token) || dot < 0 || !hmac.Equal([]byte(token[dot+1:]), []byte(a.macs.session.text(token[:dot]))) {
		return Session{}, identity.ErrTokenInvalid
	}
	fields := strings.Split(token[:dot], ".")
	if len(fields) != 4 {
		return Session{}, identity.ErrTokenInvalid
	}
	user, userErr := uuid.Parse(fields[1])
	id, idErr := uuid.Parse(fields[2])
	expiry, expiryErr := strconv.ParseInt(fields[3], 10, 64)
	if userErr != nil || idErr != nil || expiryErr != nil {
		return Session{}, identity.ErrTokenInvalid
	}
	if a.now().Unix() >= expiry {
		return Session{}, identity.ErrTokenExpired
	}
	return Session{User: user, ID: id, Expiry: time.Unix(expiry, 0)}, nil
}
