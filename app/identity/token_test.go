package identity

import (
	"errors"
	"strings"
	"testing"
	"time"
)

var now = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

func TestTokenRoundTrip(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"Ada", "Ada Lovelace", "日本語 の 名前", "a.b|c;d\"e", "👍"} {
		user, err := NewUser(name)
		if err != nil {
			t.Fatal(err)
		}
		token := NewTokens([]byte("0123456789abcdef")).Sign(user, now)
		// Another server with the same secret must accept the token until it expires.
		got, expiry, err := NewTokens([]byte("0123456789abcdef")).Verify(token, now.Add(TokenLifetime-time.Second))
		if err != nil || got != user || !expiry.Equal(now.Add(TokenLifetime)) {
			t.Errorf("Verify of a token for %q = %v, %v, %v; want %v, %v", name, got, expiry, err, user, now.Add(TokenLifetime))
		}
		if strings.Trim(token, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") != "" {
			t.Errorf("%q: token %q has characters that a cookie must escape", name, token)
		}
	}
}

func TestTokenExpires(t *testing.T) {
	t.Parallel()
	tokens := NewTokens([]byte("0123456789abcdef"))
	ada, _ := NewUser("Ada")
	_, _, err := tokens.Verify(tokens.Sign(ada, now), now.Add(TokenLifetime))
	if !errors.Is(err, ErrTokenExpired) {
		t.Errorf("verified after TokenLifetime: %v, want ErrTokenExpired", err)
	}
}

func TestTokenCannotBeForged(t *testing.T) {
	t.Parallel()
	tokens := NewTokens([]byte("0123456789abcdef"))
	ada, _ := NewUser("Ada")
	token := tokens.Sign(ada, now)
	for i := range len(token) {
		for _, c := range []byte("A.-0") {
			changed := token[:i] + string(c) + token[i+1:]
			if got, _, err := tokens.Verify(changed, now); changed != token && !errors.Is(err, ErrTokenInvalid) {
				t.Fatalf("byte %d changed to %c: Verify = %v, %v; want ErrTokenInvalid", i, c, got, err)
			}
		}
	}
	if _, _, err := NewTokens([]byte("another secret!!")).Verify(token, now); !errors.Is(err, ErrTokenInvalid) {
		t.Errorf("with another secret: Verify returned the error %v, want %v", err, ErrTokenInvalid)
	}
	others := []string{
		"", ".", "...", "1.", token + ".", "." + token, token[:len(token)-1], token + "=", strings.TrimPrefix(token, "1."),
		tokens.signed("2." + strings.TrimPrefix(token[:strings.LastIndex(token, ".")], "1.")),
		tokens.signed("1.not-a-uuid.QWRh.99999999999"), tokens.signed("1." + ada.ID + ".!.99999999999"),
		tokens.signed("1." + ada.ID + ".QWRh.soon"), tokens.signed("1." + ada.ID + ".QWRh"), tokens.signed("1." + ada.ID + ".QWRh.99999999999.x"),
	}
	for _, other := range others {
		if got, _, err := tokens.Verify(other, now); !errors.Is(err, ErrTokenInvalid) {
			t.Errorf("Verify(%q) = %v, %v; want %v", other, got, err, ErrTokenInvalid)
		}
	}
}

// signed appends a valid signature to any claim, as an older or newer release might.
func (tokens *Tokens) signed(claim string) string { return claim + "." + tokens.mac(claim) }

func FuzzToken(f *testing.F) {
	tokens := NewTokens([]byte("0123456789abcdef"))
	f.Add(tokens.Sign(User{ID: "7f5cb5d4-2ef4-4a70-bb6a-0b4a4a3b1f0e", Name: "Ada"}, now), "1.a.b.3")
	f.Add("", "1.7f5cb5d4-2ef4-4a70-bb6a-0b4a4a3b1f0e.QWRh.99999999999")
	f.Add("1...", "")
	f.Fuzz(func(t *testing.T, token, claim string) {
		if user, _, err := tokens.Verify(token, now); err == nil && tokens.Sign(user, now) != token {
			t.Errorf("Verify accepted %q as %v, but Sign returns another token for this user", token, user)
		}
		// An invalid claim must be refused even if its signature is valid.
		user, _, err := tokens.Verify(tokens.signed(claim), now)
		if err == nil && user.ID == "" {
			t.Errorf("claim %q was accepted without a user ID", claim)
		}
	})
}
