// Package caller identifies the user who sends a request, and ends open connections when a session ends.
//
// A request carries a token in a cookie, or in the header Authorization. The token belongs to a guest
// (package identity) or to a session of an account (package accounts). Identify parses it without using
// Redis. Check then decides whether the session is still valid, usually from memory.
//
//	router.Use(callers.Identify)
//	router.Use(callers.Check) // after the checks of origin and rate
//	...
//	user := caller.Of(c).User
//
// All methods are safe for concurrent use.
package caller
