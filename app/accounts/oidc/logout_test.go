package oidc_test

import (
	"testing"
	"time"

	"burble/app/accounts"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
)

// logoutToken returns a logout token of the provider.
func (f *fixture) logoutToken(change func(jwt.MapClaims)) string {
	f.Helper()
	claims := jwt.MapClaims{
		"iss": f.mock.Issuer(), "aud": f.mock.ClientID, "iat": time.Now().Unix(), "exp": time.Now().Add(2 * time.Minute).Unix(),
		"jti": uuid.NewString(), "sid": "sid-ada", "sub": "ada",
		"events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}},
	}
	change(claims)
	token, err := f.mock.Keypair.SignJWT(claims)
	f.must(err)
	return token
}

func TestBackChannelLogout(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	live := func(signedIn accounts.SignedIn) bool {
		_, err := f.accounts.Verdict(ctx, signedIn.Session)
		return err == nil
	}
	setSID := func(sid string) { f.change = func(c jwt.MapClaims) { c["sid"] = sid } }
	setSID("one")
	one, err := f.signIn()
	f.must(err)
	setSID("two")
	two, err := f.signIn()
	f.must(err)
	link, err := f.accounts.CreateLink(ctx, one.User.ID, one.User.ID)
	f.must(err)
	other, err := f.accounts.SpendLink(ctx, link, accounts.SignIn{}) // not from the provider
	f.must(err)

	token := f.logoutToken(func(c jwt.MapClaims) { c["sid"] = "one" })
	f.must(f.provider.Logout(ctx, token))
	if live(one) || !live(two) || !live(other) {
		t.Error("the logout of one session must end that session and no other")
	}
	setSID("one")
	one, err = f.signIn()
	f.must(err)
	f.want("replayed logout token", f.provider.Logout(ctx, token), accounts.ErrRefused)
	if !live(one) {
		t.Error("a replayed logout token ended a new session")
	}
	f.must(f.provider.Logout(ctx, f.logoutToken(func(c jwt.MapClaims) { delete(c, "sid") })))
	if live(one) || live(two) || !live(other) {
		t.Error("the logout of a subject must end all sessions that the subject started, and no others")
	}
	f.must(f.provider.Logout(ctx, f.logoutToken(func(c jwt.MapClaims) { delete(c, "sid") }))) // nothing is left
	f.must(f.provider.Logout(ctx, f.logoutToken(func(c jwt.MapClaims) { c["sid"], c["sub"] = "unknown", "unknown" })))
	if !live(other) {
		t.Error("a logout ended a session that the provider did not start")
	}
	for name, change := range map[string]func(jwt.MapClaims){
		"a nonce":         func(c jwt.MapClaims) { c["nonce"] = "x" },
		"no event":        func(c jwt.MapClaims) { delete(c, "events") },
		"no jti":          func(c jwt.MapClaims) { delete(c, "jti") },
		"no sid or sub":   func(c jwt.MapClaims) { delete(c, "sid"); delete(c, "sub") },
		"another issuer":  func(c jwt.MapClaims) { c["iss"] = "https://evil.example" },
		"another client":  func(c jwt.MapClaims) { c["aud"] = "x" },
		"expired":         func(c jwt.MapClaims) { c["exp"] = time.Now().Add(-time.Hour).Unix() },
		"valid for years": func(c jwt.MapClaims) { c["exp"] = time.Now().Add(10000 * time.Hour).Unix() },
	} {
		f.want(name, f.provider.Logout(ctx, f.logoutToken(change)), accounts.ErrRefused)
	}
}
