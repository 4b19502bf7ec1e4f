package identity

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

const (
	// TokenLifetime is how long a token is valid. Pages renew it, so a browser loses its user only if
	// it opens no page for this long.
	TokenLifetime = 180 * 24 * time.Hour
	// TokenFresh is the age at which a page renews a token.
	TokenFresh = 30 * 24 * time.Hour
)

// Errors returned by Verify. After either, the client has no user.
var (
	// ErrTokenInvalid means that the token was modified or signed with another secret.
	ErrTokenInvalid = errors.New("token is not valid")
	// ErrTokenExpired means that the token is older than TokenLifetime.
	ErrTokenExpired = errors.New("token has expired")
)

// Tokens signs and verifies tokens.
//
// The format of a token is "1.<ID>.<name>.<expiry>.<MAC>". The name is in base64url, the expiry in
// Unix seconds, and the MAC is the HMAC-SHA256 of everything before its dot, in base64url. A token
// contains only letters, digits, "-", "_" and ".", which need no escaping in cookies and headers.
type Tokens struct {
	key []byte
}

// tokenVersion is the prefix of every token. It allows the format to change.
const tokenVersion = "1."

// NewTokens returns Tokens whose key is derived from the secret. No other purpose uses this key, so
// nothing else that is signed with the secret passes as a token.
func NewTokens(secret []byte) *Tokens {
	key, err := hkdf.Key(sha256.New, secret, nil, "burble guest token 1", sha256.Size)
	if err != nil {
		panic(err) // unreachable: HKDF fails only for longer keys
	}
	return &Tokens{key: key}
}

// Sign returns a token for the user that is valid until TokenLifetime after now.
func (t *Tokens) Sign(user User, now time.Time) string {
	name := base64.RawURLEncoding.EncodeToString([]byte(user.Name))
	claim := fmt.Sprintf("%s%s.%s.%d", tokenVersion, user.ID, name, now.Add(TokenLifetime).Unix())
	return claim + "." + t.mac(claim)
}

// Verify returns the user in the token and the time when the token expires. The error is
// ErrTokenInvalid or ErrTokenExpired.
func (t *Tokens) Verify(token string, now time.Time) (User, time.Time, error) {
	dot := strings.LastIndexByte(token, '.')
	if dot < 0 {
		return User{}, time.Time{}, ErrTokenInvalid
	}
	claim, signature := token[:dot], token[dot+1:]
	if !hmac.Equal([]byte(signature), []byte(t.mac(claim))) { // in constant time
		return User{}, time.Time{}, ErrTokenInvalid
	}
	return parseClaim(claim, now)
}

// parseClaim parses a claim with a valid signature. It still validates every field, because an older
// or newer release may have signed the claim.
func parseClaim(claim string, now time.Time) (User, time.Time, error) {
	fields := strings.Split(strings.TrimPrefix(claim, tokenVersion), ".")
	if !strings.HasPrefix(claim, tokenVersion) || len(fields) != 3 {
		return User{}, time.Time{}, ErrTokenInvalid
	}
	name, nameErr := base64.RawURLEncoding.DecodeString(fields[1])
	expiry, expiryErr := strconv.ParseInt(fields[2], 10, 64)
	if uuid.Validate(fields[0]) != nil || nameErr != nil || expiryErr != nil {
		return User{}, time.Time{}, ErrTokenInvalid
	}
	if now.Unix() >= expiry {
		return User{}, time.Time{}, ErrTokenExpired
	}
	return User{ID: fields[0], Name: string(name)}, time.Unix(expiry, 0), nil
}

// mac returns the claim's HMAC-SHA256 in base64url.
func (t *Tokens) mac(claim string) string {
	mac := hmac.New(sha256.New, t.key)
	mac.Write([]byte(claim))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}
