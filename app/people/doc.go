// Package people serves the routes that people use to manage their account, passkeys, sessions and invites, and that
// moderators use to manage people, roles and bans, and to read the audit log. It serves pages for browsers, and JSON for programs.
//
//	people.Register(router, people.Options{Accounts: accounts, Passkeys: keys, Chat: service, Callers: callers, Allow: allow, NewPage: newPage})
//
// Package accounts decides who may do what. Every action that concerns others is recorded in the audit log after it
// has succeeded. If it cannot be recorded, the client receives an error, and should repeat the action.
package people
