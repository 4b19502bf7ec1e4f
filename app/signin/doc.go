// Package signin serves the routes for signing in, on pages and in programs: the setup of the first owner,
// passkeys, the identity provider, one-time links, and invites.
//
//	signin.Register(router, signin.Options{Accounts: people, Passkeys: keys, Chat: service, Callers: callers, Allow: allow, NewPage: newPage})
//
// A GET of a page whose address contains a code (/setup, /i/, /l/) does not spend the code, because programs that preview
// links fetch such pages too. Only a POST does. A sign-in with a passkey or the identity provider can be finished only by
// the browser that started it: a cookie ties the two requests together.
package signin
