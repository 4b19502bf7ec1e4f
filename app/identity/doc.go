// Package identity defines users, with their names, IDs and ranks, and the signed tokens of guests.
//
// A guest chooses a name and gets a user ID (a UUID) and a token, which authenticates the guest.
// Servers store nothing about guests, because the token contains everything. Every server with the
// same secret accepts it. Package accounts gives users accounts, whose sessions have other tokens.
//
//	tokens := identity.NewTokens(secret)
//	user, err := identity.NewUser("Ada")
//	token := tokens.Sign(user, time.Now())
//	user, expiry, err := tokens.Verify(token, time.Now())
//
// All functions and methods are safe for concurrent use.
package identity
