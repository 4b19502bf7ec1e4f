// Package people serves what people manage about themselves and each other, on pages and for programs: their account,
// passkeys and sessions, the list of people with roles and bans, invites, and the audit.
//
//	people.Register(router, people.Options{Accounts: accounts, Passkeys: passkeys, Chat: service, ...})
//
// Package accounts decides who may do what. Every action that concerns others is recorded in the audit after it
// has succeeded. If it cannot be recorded, the caller gets an error, and repeats the action.
package people
