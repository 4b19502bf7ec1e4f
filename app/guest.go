package main

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
	// guestTokenLife is how long a token is good for. Whoever opens a page before that
	// gets a new one, so it is the time after which an unused browser is a stranger again.
	guestTokenLife = 180 * 24 * time.Hour
	// guestTokenNew is how long a token is new enough for a page to leave it as it is.
	guestTokenNew = 30 * 24 * time.Hour
)

// Guest is someone who gave a name. There is no account: whoever holds the token is
// that guest. Guests of the same name are told apart by their ID, a UUID.
type Guest struct {
	ID   string
	Name string
}

// The two reasons a token is refused. Both mean that the client is nobody yet.
var (
	// errTokenInvalid: it was not made by a server with this secret, or was changed.
	errTokenInvalid = errors.New("token is not valid")
	// errTokenExpired: it is older than guestTokenLife.
	errTokenExpired = errors.New("token has expired")
)

// newGuest makes a guest that has not been here before. The error says what is wrong
// with the name.
func newGuest(name string) (Guest, error) {
	name, err := newGuestName(name)
	if err != nil {
		return Guest{}, err
	}
	return Guest{ID: uuid.NewString(), Name: name}, nil
}

// guests makes and reads the tokens that say who a guest is. Everything is in the
// token, signed, so no server need remember anyone, and any server with the same
// secret can read it. It may be used from many goroutines at once.
//
// A token is "1.<ID>.<name, base64url>.<expiry, Unix seconds>.<HMAC-SHA256 of all
// that, base64url>": letters, digits, "-", "_" and ".", fit for a cookie and a header.
type guests struct {
	key []byte
}

// guestTokenVersion begins every token, so that another form can follow one day.
const guestTokenVersion = "1."

// newGuests makes guests whose tokens are signed with a key of their own, derived from
// the secret: whatever else the secret comes to sign, it cannot be passed off as a token.
func newGuests(secret []byte) *guests {
	key, err := hkdf.Key(sha256.New, secret, nil, "burble guest token 1", sha256.Size)
	if err != nil {
		panic(err) // only for lengths that HKDF cannot make, and this is not one
	}
	return &guests{key: key}
}

// Token returns a token that Guest turns back into the guest until guestTokenLife
// after now.
func (g *guests) Token(guest Guest, now time.Time) string {
	name := base64.RawURLEncoding.EncodeToString([]byte(guest.Name))
	claim := fmt.Sprintf("%s%s.%s.%d", guestTokenVersion, guest.ID, name, now.Add(guestTokenLife).Unix())
	return claim + "." + g.sign(claim)
}

// Guest returns who the token was made for and when it expires, or errTokenInvalid or
// errTokenExpired.
func (g *guests) Guest(token string, now time.Time) (Guest, time.Time, error) {
	dot := strings.LastIndexByte(token, '.')
	if dot < 0 {
		return Guest{}, time.Time{}, errTokenInvalid
	}
	claim, signature := token[:dot], token[dot+1:]
	if !hmac.Equal([]byte(signature), []byte(g.sign(claim))) { // in constant time
		return Guest{}, time.Time{}, errTokenInvalid
	}
	return parseClaim(claim, now)
}

// parseClaim reads what the signature vouched for. It still trusts nothing, because
// an older or newer Burble may have signed it.
func parseClaim(claim string, now time.Time) (Guest, time.Time, error) {
	fields := strings.Split(strings.TrimPrefix(claim, guestTokenVersion), ".")
	if !strings.HasPrefix(claim, guestTokenVersion) || len(fields) != 3 {
		return Guest{}, time.Time{}, errTokenInvalid
	}
	name, errName := base64.RawURLEncoding.DecodeString(fields[1])
	expiry, errExpiry := strconv.ParseInt(fields[2], 10, 64)
	if uuid.Validate(fields[0]) != nil || errName != nil || errExpiry != nil {
		return Guest{}, time.Time{}, errTokenInvalid
	}
	if now.Unix() >= expiry {
		return Guest{}, time.Time{}, errTokenExpired
	}
	return Guest{ID: fields[0], Name: string(name)}, time.Unix(expiry, 0), nil
}

func (g *guests) sign(claim string) string {
	mac := hmac.New(sha256.New, g.key)
	mac.Write([]byte(claim))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}
