package passkeys

import (
	"bytes"
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"sync"

	"burble/app/accounts"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
)

// BeginLogin starts a sign-in. It returns the options for navigator.credentials.get, as JSON, and the code
// for FinishLogin.
func (p *Passkeys) BeginLogin(ctx context.Context, site Site) (options []byte, code string, err error) {
	library, err := site.webAuthn()
	if err != nil {
		return nil, "", err
	}
	wanted, session, err := library.BeginDiscoverableLogin()
	if err != nil {
		return nil, "", err
	}
	return p.begin(ctx, "get", wanted, session)
}

// FinishLogin verifies the browser's response, as JSON, and signs in. For a response that is
// not valid, it returns ErrRefused after the same work, whether or not the user and the passkey exist.
func (p *Passkeys) FinishLogin(ctx context.Context, site Site, code string, response []byte, s accounts.SignIn) (accounts.SignedIn, error) {
	var session webauthn.SessionData
	if err := p.accounts.TakeCeremony(ctx, "get", code, &session); err != nil {
		return accounts.SignedIn{}, err
	}
	library, err := site.webAuthn()
	if err != nil {
		return accounts.SignedIn{}, err
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(response)
	if err != nil {
		return accounts.SignedIn{}, p.refuse("sign in with a passkey", err)
	}
	owner, stored, err := p.owner(ctx, parsed)
	if err != nil {
		return accounts.SignedIn{}, err
	}
	find := func([]byte, []byte) (webauthn.User, error) { return owner, nil }
	_, credential, err := library.ValidatePasskeyLogin(find, session, parsed)
	if err != nil {
		return accounts.SignedIn{}, p.refuse("sign in with a passkey", err)
	}
	if credential.Authenticator.CloneWarning { // only a hint: refusing the sign-in could lock out the owner
		p.log.Warn("the counter of a passkey went backwards, so the passkey may have been copied", "user", owner.ID)
	}
	stored.update(credential)
	used := &accounts.Passkey{User: owner.User, ID: encodeID(credential.ID), Record: stored.encode()}
	return p.accounts.SignInWithPasskey(ctx, used, code, s)
}

// owner returns the user and the passkey that the response names. If they do not exist, it
// returns a passkey with a key that verifies no signature.
//
// The library refuses a passkey whose flag "backup eligible" differs from the stored one, but the flag of iCloud
// passkeys can change (go-webauthn #335), and refusing them would lock people out. The flag describes only where
// the passkey is kept, and the signature covers it. Therefore owner uses the new value.
func (p *Passkeys) owner(ctx context.Context, parsed *protocol.ParsedCredentialAssertionData) (*user, record, error) {
	stored := record{PublicKey: unknownKey()}
	owner := &user{}
	copy(owner.handle[:], parsed.Response.UserHandle)
	owner.ID = owner.handle.String()
	encoded, err := p.accounts.Passkey(ctx, owner.ID, encodeID(parsed.RawID))
	if err != nil {
		return nil, stored, err
	}
	flags := parsed.Response.AuthenticatorData.Flags
	if encoded != "" {
		if err := json.Unmarshal([]byte(encoded), &stored); err != nil {
			return nil, stored, fmt.Errorf("%w: decode a passkey", accounts.ErrUnavailable)
		}
		if stored.BackupEligible != flags.HasBackupEligible() {
			p.log.Info("the backup eligibility of a passkey changed", "user", owner.ID)
		}
	}
	owner.credentials = []webauthn.Credential{{
		ID: parsed.RawID, PublicKey: stored.PublicKey,
		Flags:         webauthn.CredentialFlags{BackupEligible: flags.HasBackupEligible(), BackupState: stored.BackupState},
		Authenticator: webauthn.Authenticator{AAGUID: stored.AAGUID, SignCount: stored.SignCount},
	}}
	return owner, stored, nil
}

// unknownKey returns a public key in COSE form (RFC 9053, section 7.1.1) whose private key is not kept.
var unknownKey = sync.OnceValue(func() []byte {
	key, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		panic(err) // unreachable: rand.Reader never fails
	}
	point := key.PublicKey().Bytes()[1:] // X and Y
	return bytes.Join([][]byte{
		{0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20}, point[:32], {0x22, 0x58, 0x20}, point[32:],
	}, nil)
})
