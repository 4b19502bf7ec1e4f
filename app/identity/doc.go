// Package identity defines users: their names, their IDs, and the signed tokens that carry both.
//
// There are no accounts. A user chooses a name and gets a user ID (a UUID) and a token; whoever
// holds the token is that user. The token contains everything, so servers store nothing about
// users, and every server with the same secret accepts it.
//
//	user, err := identity.NewUser("Ada")
//	token := tokens.Sign(user, time.Now())
//	user, expiry, err := tokens.Verify(token, time.Now())
//
// Everything here may be used from many goroutines at once.
package identity
