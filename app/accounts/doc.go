// Package accounts stores accounts and their sessions in Redis, and the links and invites that create them.
// An [Accounts] creates, changes and ends them, and verifies the tokens of sessions.
//
//	people := accounts.New(accounts.Options{Redis: set, Secret: secret, Log: log})
//	go people.Run(ctx)                                                 // and wait for it
//	signedIn, err := people.Upgrade(ctx, accounts.SignIn{User: guest}) // an account and its first session
//	session, err := people.Verify(signedIn.Token)                      // in each later request
//	verdict, err := people.Verdict(ctx, session)                       // its user, or an error such as ErrSignedOut
//
// A guest has a signed token and nothing in Redis (package identity). An account has a record, a role, and
// sessions. Each session has its own token and can be ended separately. People can get an account in these ways:
//
//   - Upgrade: a guest gets an account and keeps the user ID
//   - Redeem: with an invite, such as the setup code that makes the first owner
//   - SignInWithIdentity: with an identity provider (package accounts/oidc)
//
// They sign in again with a passkey (package accounts/passkeys), the provider, or a one-time link. Whether a
// session is valid is decided by the embedded [verdicts.Verdicts].
//
// Guarantees:
//
//   - The script that changes what a person may do also appends the change to a stream, so no server
//     misses it.
//   - No code can be used more often than allowed, even if many servers receive it at once. After
//     an error, repeating the call with the same SignIn.Key is safe.
//   - Redis contains no code and no token, only MACs of them. Neither do errors and logs.
//   - Once there has been an owner, there always is one.
//
// Users and sessions that a caller passes must come from a verified token, because the methods do not check
// that. All methods are safe for concurrent use. README.md lists the keys in Redis.
package accounts
