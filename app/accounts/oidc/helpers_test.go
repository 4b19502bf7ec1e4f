package oidc_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"

	"burble/app/accounts"
	"burble/app/accounts/oidc"
	"burble/app/identity"
	"burble/streams/conns"
	"burble/streams/redistest"

	"github.com/golang-jwt/jwt/v5"
	"github.com/oauth2-proxy/mockoidc"
)

// Helpers of this package's tests:
//
//	fixture   is a Provider on a mock identity provider and a real Redis, with a browser that signs in
//	person    is a user at the identity provider

var ctx = context.Background()

func TestMain(m *testing.M) { os.Exit(redistest.Main(m)) }

// fixture is a server with an identity provider.
type fixture struct {
	*testing.T
	accounts *accounts.Accounts
	provider *oidc.Provider
	mock     *mockoidc.MockOIDC
	change   func(claims jwt.MapClaims) // changes the next ID tokens
	oldKeys  []byte                     // if set, the keys that the provider publishes instead of its own
	log      *lockedBuffer

	userinfoSubject string
}

type lockedBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}

func newFixture(t *testing.T, change ...func(*oidc.Options)) *fixture {
	t.Helper()
	server := redistest.Start(t)
	set := conns.New(conns.Options{Redis: server.Redis(), Stream: "{0}:activity"})
	t.Cleanup(func() { set.Close() })
	f := &fixture{T: t, log: &lockedBuffer{}, userinfoSubject: "ada"}
	f.accounts = accounts.New(accounts.Options{Redis: set, Secret: []byte("a secret that all servers share!")})
	var err error
	f.mock, err = mockoidc.NewServer(nil)
	f.must(err)
	f.must(f.mock.AddMiddleware(f.serveOldKeys))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	f.must(err)
	f.must(f.mock.Start(listener, nil))
	t.Cleanup(func() { f.mock.Shutdown() })
	options := oidc.Options{
		Issuer: f.mock.Issuer(), ClientID: f.mock.ClientID, ClientSecret: f.mock.ClientSecret,
		Log: slog.New(slog.NewTextHandler(f.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	for _, set := range change {
		set(&options)
	}
	f.provider, err = oidc.New(f.accounts, options)
	f.must(err)
	return f
}

func (f *fixture) serveOldKeys(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if f.oldKeys != nil && r.URL.Path == mockoidc.JWKSEndpoint {
			w.Write(f.oldKeys)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (f *fixture) must(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

func (f *fixture) want(what string, err, want error) {
	f.Helper()
	if !errors.Is(err, want) || (err == nil) != (want == nil) {
		f.Errorf("%s: %v, want %v", what, err, want)
	}
}

// A person is a user at the provider, whose ID token the test can change.
type person struct {
	mockoidc.MockUser
	f               *fixture
	userinfoSubject string
}

// Claims implements mockoidc.User.
func (p *person) Claims(scopes []string, base *mockoidc.IDTokenClaims) (jwt.Claims, error) {
	claims := jwt.MapClaims{
		"iss": base.Issuer, "sub": base.Subject, "aud": base.Audience, "exp": base.ExpiresAt, "iat": base.IssuedAt,
		"nbf": base.NotBefore, "nonce": base.Nonce, "email": p.Email, "email_verified": p.EmailVerified, "name": "Ada Lovelace", "sid": "sid-" + p.Subject,
	}
	if p.f.change != nil {
		p.f.change(claims)
	}
	return claims, nil
}

// Userinfo implements mockoidc.User.
func (p *person) Userinfo([]string) ([]byte, error) {
	return json.Marshal(map[string]any{"sub": p.userinfoSubject, "email": p.Email, "email_verified": true})
}

// authorize signs in at the provider as a browser does. It returns the state for the cookie, and the query of
// the response.
func (f *fixture) authorize(next string, guest identity.User) (cookie string, query url.Values) {
	f.Helper()
	address, state, err := f.provider.Begin(ctx, redirect, next, guest)
	f.must(err)
	f.mock.QueueUser(&person{mockoidc.MockUser{Subject: "ada", Email: "ada@Example.com", EmailVerified: true}, f, f.userinfoSubject})
	browser := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := browser.Get(address)
	f.must(err)
	response.Body.Close()
	to, err := response.Location()
	f.must(err)
	if !strings.HasPrefix(to.String(), redirect+"?") {
		f.Fatalf("redirected to %s, want %s", to, redirect)
	}
	return state, to.Query()
}

func (f *fixture) signIn() (accounts.SignedIn, error) {
	f.Helper()
	cookie, query := f.authorize("/", identity.User{})
	signedIn, _, err := f.provider.Finish(ctx, cookie, query, accounts.SignIn{Device: "test"})
	return signedIn, err
}
