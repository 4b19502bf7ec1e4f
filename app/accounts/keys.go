package accounts

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strings"

	"github.com/google/uuid"
)

// keys returns the names of all Redis keys, each with the prefix. They share a hash tag, so that a
// script may use any of them. README.md describes what they hold.
type keys struct{ prefix string }

func (k keys) of(parts ...string) string { return k.prefix + "{0}:" + strings.Join(parts, ":") }

// access is the stream of changes to what people may do.
func (k keys) access() string { return k.of("access") }

func (k keys) account(user string) string  { return k.of("account", user) }
func (k keys) sessions(user string) string { return k.of("account", user, "sessions") }
func (k keys) passkeys(user string) string { return k.of("account", user, "passkeys") }

// person returns the first nine KEYS of most scripts, which lib.lua lists, followed by more.
func (k keys) person(user string, more ...string) []string {
	return append([]string{
		k.access(), k.of("accounts"), k.of("owners"), k.of("bans"), k.of("ended_guests"),
		k.account(user), k.sessions(user), k.passkeys(user), k.of("passkey_users"),
	}, more...)
}

// A macKey computes MACs for one purpose. It is derived from the secret that all servers share.
type macKey []byte

// macKeys has a key for each purpose, so that a MAC for one purpose is never valid for another.
type macKeys struct {
	session macKey // signs tokens
	invite  macKey // signs the codes of invites
	stored  macKey // replaces codes and identities in Redis, which then contains no working code
	derived macKey // derives IDs from the keys of requests
}

func newMACKeys(secret []byte) macKeys {
	derive := func(purpose string) macKey {
		key, err := hkdf.Key(sha256.New, secret, nil, "burble "+purpose, sha256.Size)
		if err != nil {
			panic(err) // unreachable: HKDF fails only for longer keys
		}
		return key
	}
	return macKeys{derive("session token 2"), derive("invite 1"), derive("stored code 1"), derive("derived id 1")}
}

// sum returns the HMAC-SHA256 of the parts. No part may contain a NUL, except the last.
func (key macKey) sum(parts ...string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(strings.Join(parts, "\x00")))
	return mac.Sum(nil)
}

// text returns the MAC in base64url, which is safe in URLs, cookies and keys.
func (key macKey) text(parts ...string) string {
	return base64.RawURLEncoding.EncodeToString(key.sum(parts...))
}

// id returns the parts' MAC as a UUID. If the last part is not a UUID, it returns a random one, because
// two clients could choose the same text.
func (key macKey) id(parts ...string) uuid.UUID {
	if uuid.Validate(parts[len(parts)-1]) != nil {
		return uuid.New()
	}
	id := uuid.UUID(key.sum(parts...)[:16])
	id[6], id[8] = id[6]&0x0f|0x80, id[8]&0x3f|0x80 // version 8 (RFC 9562)
	return id
}
