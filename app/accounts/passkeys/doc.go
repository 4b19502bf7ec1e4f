// Package passkeys creates passkeys of accounts, and signs in with them (WebAuthn).
//
// Passkeys are discoverable, so people sign in without typing a name. The user handle of a passkey is the 16 bytes of the user ID.
// Both ceremonies begin with options for the browser and a code, and finish with the code and the browser's
// response. A code works once, even if the response is not valid, for [accounts.CeremonyLife].
//
//	options, code, err := passkeys.BeginLogin(ctx, site)             // for navigator.credentials.get
//	signedIn, err := passkeys.FinishLogin(ctx, site, code, response, accounts.SignIn{Device: "Firefox on Linux"})
//
// The caller must keep the code in the browser that began, in a cookie that is sent only to this site.
package passkeys
