package accounts_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"burble/app/accounts"
	"burble/app/identity"
	"burble/streams/conns"
	"burble/streams/redistest"

	"github.com/google/uuid"
)

func TestTokenIsRenewed(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	now := time.Now()
	a := open(t, server.Redis(), func(o *accounts.Options) { o.Now = func() time.Time { return now } })
	signedIn := join(t, a, "Ada", accounts.Member)
	start := now
	for day := range 400 {
		now = start.Add(time.Duration(day) * 24 * time.Hour)
		session, err := a.Verify(signedIn.Token)
		wantError(t, "verify", err, nil)
		_, err = a.Verdict(ctx, session)
		wantError(t, "verdict", err, nil)
		renewed, err := a.Renew(ctx, session)
		if err != nil || (renewed != "") && session.Expiry.Sub(now) > 150*24*time.Hour {
			t.Fatalf("day %d: renewed is %v with %v left, error %v; want tokens to be renewed only after 30 days", day, renewed != "", session.Expiry.Sub(now), err)
		}
		if renewed != "" {
			signedIn.Token = renewed
		}
	}
	first := signedIn.Token
	now = now.Add(181 * 24 * time.Hour)
	_, err := a.Verify(first)
	wantError(t, "verify an old token", err, identity.ErrTokenExpired)
	_, err = a.Verdict(ctx, signedIn.Session)
	wantError(t, "verdict on an old session", err, accounts.ErrSignedOut)
	if sessions, _ := a.Sessions(ctx, signedIn.User.ID); len(sessions) > 0 {
		t.Errorf("the list contains expired sessions: %+v", sessions)
	}
}

func TestTokenCannotBeForged(t *testing.T) {
	t.Parallel()
	a := open(t, &conns.Address{Addrs: []string{"127.0.0.1:1"}}) // Verify does not use Redis
	session := accounts.Session{User: uuid.New(), ID: uuid.New(), Expiry: time.Unix(time.Now().Add(time.Hour).Unix(), 0)}
	token := a.Sign(session)
	if got, err := a.Verify(token); err != nil || got != session {
		t.Fatalf("Verify returned %v, %v; want %v", got, err, session)
	}
	for i := range len(token) {
		for _, c := range []byte("A.-0") {
			changed := token[:i] + string(c) + token[i+1:]
			if _, err := a.Verify(changed); changed != token && !errors.Is(err, identity.ErrTokenInvalid) {
				t.Fatalf("byte %d changed to %c: Verify returned the error %v, want %v", i, c, err, identity.ErrTokenInvalid)
			}
		}
	}
	other := open(t, &conns.Address{Addrs: []string{"127.0.0.1:1"}}, func(o *accounts.Options) { o.Secret = []byte("another") })
	guest := identity.NewTokens(secret)
	user := newUser(t, "Ada")
	for _, token := range []string{"", ".", "2.", other.Sign(session), guest.Sign(user, time.Now()), strings.Replace(guest.Sign(user, time.Now()), "1.", "2.", 1)} {
		_, err := a.Verify(token)
		wantError(t, "verify "+token, err, identity.ErrTokenInvalid)
	}
	if _, _, err := guest.Verify(token, time.Now()); err == nil {
		t.Error("the token of a session is valid as a guest's token")
	}
}

func FuzzVerify(f *testing.F) {
	a := open(f, &conns.Address{Addrs: []string{"127.0.0.1:1"}})
	f.Add(a.Sign(accounts.Session{User: uuid.New(), ID: uuid.New(), Expiry: time.Now().Add(time.Hour)}))
	f.Add("2.a.b.c.d")
	f.Fuzz(func(t *testing.T, token string) {
		if session, err := a.Verify(token); err == nil && a.Sign(session) != token {
			t.Errorf("Verify accepted %q, but Sign returns %q for its session", token, a.Sign(session))
		}
	})
}
