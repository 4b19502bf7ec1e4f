package previews

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"time"
)

// TokenLifetime is how long a token is valid.
const TokenLifetime = time.Hour

const (
	tokenVersion = "1."
	// maxToken is the maximum length of a token that Verify examines.
	maxToken = 16 << 10
)

// Errors returned by Verify.
var (
	// ErrTokenInvalid means that the token was modified, or is for another user or room.
	ErrTokenInvalid = errors.New("preview token is not valid")
	// ErrTokenExpired means that the token is older than TokenLifetime.
	ErrTokenExpired = errors.New("preview token has expired")
)

// Tokens signs and verifies tokens, which contain a card. The format of a token is "1.<claim>.<MAC>".
type Tokens struct{ key []byte }

// A claim is the content of a token, as JSON.
type claim struct {
	User   string `json:"user"`
	Room   string `json:"room"`
	Expiry int64  `json:"expiry"` // Unix seconds
	Card   Card   `json:"card"`
}

// NewTokens returns Tokens whose key is derived from the secret that all servers share. The key has no other use.
func NewTokens(secret []byte) *Tokens {
	key, err := hkdf.Key(sha256.New, secret, nil, "burble preview token 1", sha256.Size)
	if err != nil {
		panic(err) // unreachable: HKDF fails only for longer keys
	}
	return &Tokens{key}
}

// Sign returns a token that lets the user attach the card to a message in the room, until TokenLifetime after now.
func (t *Tokens) Sign(card Card, userID, room string, now time.Time) string {
	data, err := json.Marshal(claim{userID, room, now.Add(TokenLifetime).Unix(), card})
	if err != nil {
		panic(err) // unreachable: a claim has only fields that can be encoded
	}
	signed := tokenVersion + base64.RawURLEncoding.EncodeToString(data)
	return signed + "." + t.mac(signed)
}

// Verify returns the card in the token, if the token is for the user and the room. The caller must check that the
// message links to the card's URL. The error is ErrTokenInvalid or ErrTokenExpired.
func (t *Tokens) Verify(token, userID, room string, now time.Time) (Card, error) {
	dot := strings.LastIndexByte(token, '.')
	if dot < 0 || len(token) > maxToken {
		return Card{}, ErrTokenInvalid
	}
	signed, mac := token[:dot], token[dot+1:]
	if !hmac.Equal([]byte(mac), []byte(t.mac(signed))) { // in constant time
		return Card{}, ErrTokenInvalid
	}
	encoded, found := strings.CutPrefix(signed, tokenVersion)
	data, err := base64.RawURLEncoding.DecodeString(encoded)
	var c claim
	if !found || err != nil || json.Unmarshal(data, &c) != nil || c.User != userID || c.Room != room || c.Card.URL == "" {
		return Card{}, ErrTokenInvalid
	}
	if now.Unix() >= c.Expiry {
		return Card{}, ErrTokenExpired
	}
	return c.Card, nil
}

func (t *Tokens) mac(text string) string {
	mac := hmac.New(sha256.New, t.key)
	mac.Write([]byte(text))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}
