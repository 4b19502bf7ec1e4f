// Package people serves the routes that people use to manage their account, passkeys, sessions and invites, and that
// moderators and owners use to manage people, roles and bans, and to read the audit log. It serves pages for browsers,
// and JSON for programs.
//
//	people.Register(router, people.Options{Accounts: accounts, Passkeys: keys, Chat: service, Callers: callers, Allow: allow, NewPage: newPage})
//
// Package accounts decides who may do what. Every action that concerns others is recorded in the audit log after it
// has succeeded. If that fails, the client receives an error, and should repeat the action. But if Redis is full, the
// client receives no error, and the server logs the action instead.
package people
