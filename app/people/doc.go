// Package people lets people manage their account, passkeys and sessions, and lets moderators manage people, roles,
// bans and invites and read the audit. It serves pages for browsers, and JSON for programs.
//
//	people.Register(router, people.Options{Accounts: accounts, Passkeys: passkeys, Chat: service, ...})
//
// Package accounts decides who may do what. Every action that concerns others is recorded in the audit after it
// has succeeded. If it cannot be recorded, the caller gets an error, and repeats the action.
package people
