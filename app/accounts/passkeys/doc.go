// Package passkeys creates passkeys for accounts, and signs people in with them (WebAuthn).
//
// A [Passkeys] stores them in an [accounts.Accounts]. Passkeys are discoverable, so people sign in without typing a name.
// The user handle of a passkey is the 16 bytes of the user ID. Both ceremonies, creating a passkey and signing in, begin
// by returning a code and options for the browser, and finish with that code and the browser's response. A code is valid
// for [accounts.CeremonyLifetime], and works only once, even if the response is not valid.
//
//	keys := passkeys.New(people, log)
//	site := passkeys.Site{ID: "chat.example", Name: "Burble", Origins: []string{"https://chat.example"}}
//	options, code, err := keys.BeginLogin(ctx, site) // for navigator.credentials.get
//	signedIn, err := keys.FinishLogin(ctx, site, code, response, accounts.SignIn{Device: "Firefox on Linux"})
//
// The caller must set the code as a cookie that is sent only to this site, so that only the browser that began the
// ceremony can finish it.
package passkeys
