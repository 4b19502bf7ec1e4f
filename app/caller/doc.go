// Package caller identifies the user who sends a request, and ends open connections when a session ends.
//
// A request carries a token in a cookie, or in the Authorization header. The token belongs to a guest
// (package identity) or to a session of an account (package accounts). An [Identifier] has two middlewares:
// Identify parses the token without using Redis. Check then decides, usually from memory, whether the session
// is still valid, and who its user is.
//
//	callers := caller.New(caller.Options{Tokens: tokens, Accounts: people, TrustedProxy: peer.ProxyNone})
//	router.Use(callers.Identify)
//	router.Use(callers.Check) // after the checks of origin and rate
//	router.Get("/", func(c *fiber.Ctx) error {
//		return c.SendString("Hello " + caller.Of(c).User.Name)
//	})
//
// An open connection gets a [Subscription], which ends it when the session ends.
//
// All methods are safe for concurrent use.
package caller
