// Package oidc signs people in with an identity provider (OpenID Connect), and signs them out at its
// request (Back-Channel Logout).
//
// A [Provider] creates the accounts and sessions in an [accounts.Accounts]. It discovers the provider's endpoints
// at the first sign-in, so that the server starts even if the provider does not respond.
//
//	provider, err := oidc.New(people, oidc.Options{Issuer: "https://login.example", ClientID: "burble", Log: log})
//	address, state, err := provider.Begin(ctx, "https://chat.example/oidc", "/r/lobby", guest)
//	// Set state as a __Host- cookie, redirect to address, and with the response:
//	signedIn, next, err := provider.Finish(ctx, cookie, query, accounts.SignIn{Device: "Firefox on Linux"})
package oidc
