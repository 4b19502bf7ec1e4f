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
	// TokenLife is how long a token is valid. Opening a page renews it, so a browser loses its
	// user only after it was unused for this long.
	TokenLife = 180 * 24 * time.Hour
	// TokenFresh is how old a token may be before a page renews it.
	TokenFresh = 30 * 24 * time.Hour
)

// Errors of Verify. In both cases the client has no user.
var (
	// ErrTokenInvalid reports a token that was changed, or signed with another secret.
	ErrTokenInvalid = errors.New("token is not valid")
	// ErrTokenExpired reports a token that is older than TokenLife.
	ErrTokenExpired = errors.New("token has expired")
)

// Tokens signs and verifies tokens.
//
// A token is "1.<ID>.<name, base64url>.<expiry, Unix seconds>.<HMAC-SHA256 of all that,
// base64url>". It consists of letters, digits, "-", "_" and ".", which fit into a cookie and a
// header.
type Tokens struct {
	key []byte
}

// tokenVersion begins every token, so that the format can change.
const tokenVersion = "1."

// NewTokens returns Tokens that sign with a key derived from the secret for this purpose alone, so
// nothing else that is signed with the secret is accepted as a token.
func NewTokens(secret []byte) *Tokens {
	key, err := hkdf.Key(sha256.New, secret, nil, "burble guest token 1", sha256.Size)
	if err != nil {
		panic(err) // only for key lengths that HKDF cannot make
	}
	return &Tokens{key: key}
}

// Sign returns a token for the user that is valid until TokenLife after now.
func (t *Tokens) Sign(user User, now time.Time) string {
	name := base64.RawURLEncoding.EncodeToString([]byte(user.Name))
	claim := fmt.Sprintf("%s%s.%s.%d", tokenVersion, user.ID, name, now.Add(TokenLife).Unix())
	return claim + "." + t.mac(claim)
}

// Verify returns the user that the token was signed for and when it expires, or
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

// parseClaim parses a claim whose signature is valid. It still checks every field, because
// an older or newer release may have signed it.
func parseClaim(claim string, now time.Time) (User, time.Time, error) {
	fields := strings.Split(strings.TrimPrefix(claim, tokenVersion), ".")
	if !strings.HasPrefix(claim, tokenVersion) || len(fields) != 3 {
		return User{}, time.Time{}, ErrTokenInvalid
	}
	name, errName := base64.RawURLEncoding.DecodeString(fields[1])
	expiry, errExpiry := strconv.ParseInt(fields[2], 10, 64)
	if uuid.Validate(fields[0]) != nil || errName != nil || errExpiry != nil {
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
