// Package people serves the routes with which people manage their account, passkeys, sessions and invites, and moderators
// manage people, roles and bans, and read the audit log. It serves pages for browsers, and JSON for programs.
//
//	people.Register(router, people.Options{Accounts: accounts, Passkeys: passkeys, Chat: service, ...})
//
// Package accounts decides who may do what. Every action that concerns others is recorded in the audit log after it
// has succeeded. If it cannot be recorded, the client receives an error, and should repeat the action.
package people
