// Package oidc signs people in with an identity provider (OpenID Connect), and signs them out at its
// request (Back-Channel Logout).
//
// The provider's endpoints are discovered at the first sign-in, so that the server starts even if the provider does not
// respond.
//
//	address, state, err := provider.Begin(ctx, "https://chat.example/oidc", "/r/lobby", guest)
//	// set state as a __Host- cookie, redirect to address, and with the response:
//	signedIn, next, err := provider.Finish(ctx, cookie, query, accounts.SignIn{Device: "Firefox on Linux"})
package oidc
