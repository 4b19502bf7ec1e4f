package apptest

import "github.com/descope/virtualwebauthn"

// NewCredential returns a P-256 key for a passkey. In one of 128 keys, virtualwebauthn omits a leading zero of
// a coordinate, which servers refuse (RFC 9053, section 7.1.1), so NewCredential generates another.
func NewCredential() virtualwebauthn.Credential {
	const size = 77 // of a COSE key with coordinates of 32 bytes
	for {
		if credential := virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2); len(credential.Key.AttestationData()) == size {
			return credential
		}
	}
}
