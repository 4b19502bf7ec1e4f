package accounts

import (
	"context"
	"crypto/rand"
	"time"
)

// CeremonyLifetime is how long a person may take to sign in with a passkey or at a provider.
const CeremonyLifetime = 10 * time.Minute

// StartCeremony stores the state of a sign-in as JSON, and returns a code for TakeCeremony, which returns the state.
// Only a MAC of the code is stored. A code works only for the kind of ceremony that it was created for.
func (a *Accounts) StartCeremony(ctx context.Context, kind string, state any) (code string, err error) {
	code = rand.Text()
	err = a.redis.Retrying.Set(ctx, a.ceremonyKey(kind, code), encode(state), CeremonyLifetime).Err()
	return code, unavailable(err)
}

// TakeCeremony reads and removes the state. It must be called before anything is verified, so that no
// response is verified twice. It returns ErrRefused if there is no such ceremony. If Redis's reply is lost,
// the person must start again.
func (a *Accounts) TakeCeremony(ctx context.Context, kind, code string, state any) error {
	encoded, found, err := optional(a.redis.Retrying.GetDel(ctx, a.ceremonyKey(kind, code)).Result())
	if err != nil {
		return err
	}
	if !found {
		return ErrRefused
	}
	return decode("a ceremony", encoded, state)
}

func (a *Accounts) ceremonyKey(kind, code string) string {
	return a.keys.of("ceremony", kind, a.macs.stored.text("ceremony", kind, code))
}
