// Package signin signs people in over HTTP, both on pages and for programs: the setup of the first owner, passkeys, the
// identity provider, one-time links, and invites.
//
//	signin.Register(router, signin.Options{Accounts: people, Provider: provider, Chat: service, ...})
//
// A page whose address contains a code (/setup, /i/, /l/) spends nothing, because programs that preview links
// fetch such pages too. Only a POST spends a code. If only the browser that started a sign-in may finish it, a
// cookie ties the two requests together.
package signin
