package oidc_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"burble/app/accounts"
	"burble/app/accounts/oidc"
	"burble/app/identity"
	"burble/streams/conns"
	"burble/streams/redistest"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
	"github.com/oauth2-proxy/mockoidc"
)

var ctx = context.Background()

func TestMain(m *testing.M) { os.Exit(redistest.Main(m)) }

const redirect = "https://chat.example/oidc"

// fixture is a server with an identity provider.
type fixture struct {
	*testing.T
	accounts *accounts.Accounts
	provider *oidc.Provider
	mock     *mockoidc.MockOIDC
	change   func(claims jwt.MapClaims) // changes the next ID tokens
	oldKeys  []byte                     // if set, what the provider publishes
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

// A person at the provider, whose ID token the test changes.
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
		f.Fatalf("redirected to %s", to)
	}
	return state, to.Query()
}

func (f *fixture) signIn() (accounts.SignedIn, error) {
	f.Helper()
	cookie, query := f.authorize("/", identity.User{})
	signedIn, _, err := f.provider.Finish(ctx, cookie, query, accounts.SignIn{Device: "test"})
	return signedIn, err
}

func TestSignInTwiceIsOneAccount(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	first, err := f.signIn()
	f.must(err)
	second, err := f.signIn()
	f.must(err)
	if first.User != second.User || first.User.Name != "Ada Lovelace" || first.Session.ID == second.Session.ID {
		t.Errorf("signed in as %+v and %+v", first, second)
	}
}

func TestGuestKeepsTheUserID(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	guest, err := identity.NewUser("Guest")
	f.must(err)
	cookie, query := f.authorize("/r/lobby?at=1#x", guest)
	signedIn, next, err := f.provider.Finish(ctx, cookie, query, accounts.SignIn{})
	if err != nil || signedIn.User != guest || next != "/r/lobby?at=1#x" {
		t.Errorf("signed in as %v, next %q, %v", signedIn.User, next, err)
	}
	f.want("guest", f.accounts.Guest(ctx, guest.ID), accounts.ErrUpgraded)
	// A second guest in the same person's browser does not get the account's user ID.
	other, err := identity.NewUser("Other")
	f.must(err)
	cookie, query = f.authorize("/", other)
	signedIn, _, err = f.provider.Finish(ctx, cookie, query, accounts.SignIn{})
	if err != nil || signedIn.User != guest {
		t.Errorf("signed in as %v, %v", signedIn.User, err)
	}
	f.want("the other guest", f.accounts.Guest(ctx, other.ID), nil)
}

func TestEveryAnswerWorksOnce(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	cookie, query := f.authorize("/", identity.User{})
	var succeeded atomic.Int32
	var working sync.WaitGroup
	for range 8 {
		working.Go(func() {
			_, _, err := f.provider.Finish(ctx, cookie, query, accounts.SignIn{})
			if err == nil {
				succeeded.Add(1)
			} else {
				f.want("replay", err, accounts.ErrRefused)
			}
		})
	}
	working.Wait()
	if succeeded.Load() != 1 {
		t.Errorf("%d sign-ins with one response", succeeded.Load())
	}
}

func TestAnswersOfOthersAreRefused(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	mallory, response := f.authorize("/", identity.User{})
	ada, _ := f.authorize("/", identity.User{})
	for what, cookie := range map[string]string{"another browser": ada, "no cookie": "", "part of the state": mallory[:10]} {
		_, _, err := f.provider.Finish(ctx, cookie, response, accounts.SignIn{})
		f.want(what, err, accounts.ErrRefused)
	}
	_, _, err := f.provider.Finish(ctx, "", url.Values{"code": response["code"]}, accounts.SignIn{})
	f.want("no state at all", err, accounts.ErrRefused)
	_, _, err = f.provider.Finish(ctx, "made-up", url.Values{"code": response["code"], "state": {"made-up"}}, accounts.SignIn{})
	f.want("a made-up state", err, accounts.ErrRefused)
	// A code from another sign-in does not match the PKCE verifier of this one.
	_, other := f.authorize("/", identity.User{})
	cookie, own := f.authorize("/", identity.User{})
	_, _, err = f.provider.Finish(ctx, cookie, url.Values{"code": other["code"], "state": own["state"]}, accounts.SignIn{})
	f.want("the code of another sign-in", err, accounts.ErrRefused)
	// The provider reports an error.
	cookie, own = f.authorize("/", identity.User{})
	_, _, err = f.provider.Finish(ctx, cookie, url.Values{"error": {"access_denied"}, "state": own["state"]}, accounts.SignIn{})
	f.want("access denied", err, accounts.ErrRefused)
	_, _, err = f.provider.Finish(ctx, cookie, own, accounts.SignIn{})
	f.want("after access denied", err, accounts.ErrRefused)
}

func TestWrongIDTokensAreRefused(t *testing.T) {
	t.Parallel()
	f := newFixture(t, func(o *oidc.Options) { o.Domains = []string{"other.example", " example.COM"} })
	if _, err := f.signIn(); err != nil {
		t.Fatalf("a valid token: %v", err)
	}
	tests := map[string]struct {
		change func(jwt.MapClaims)
		want   error
	}{
		"another nonce":          {func(c jwt.MapClaims) { c["nonce"] = "x" }, accounts.ErrRefused},
		"no nonce":               {func(c jwt.MapClaims) { delete(c, "nonce") }, accounts.ErrRefused},
		"another issuer":         {func(c jwt.MapClaims) { c["iss"] = "https://evil.example" }, accounts.ErrRefused},
		"issuer with a slash":    {func(c jwt.MapClaims) { c["iss"] = f.mock.Issuer() + "/" }, accounts.ErrRefused},
		"another audience":       {func(c jwt.MapClaims) { c["aud"] = "x" }, accounts.ErrRefused},
		"two audiences":          {func(c jwt.MapClaims) { c["aud"] = []string{"x", f.mock.ClientID} }, accounts.ErrRefused},
		"another party":          {func(c jwt.MapClaims) { c["aud"] = []string{"x", f.mock.ClientID}; c["azp"] = "x" }, accounts.ErrRefused},
		"this party":             {func(c jwt.MapClaims) { c["aud"] = []string{"x", f.mock.ClientID}; c["azp"] = f.mock.ClientID }, nil},
		"no subject":             {func(c jwt.MapClaims) { delete(c, "sub") }, accounts.ErrRefused},
		"another access token":   {func(c jwt.MapClaims) { c["at_hash"] = "x" }, accounts.ErrRefused},
		"expired":                {func(c jwt.MapClaims) { c["exp"] = time.Now().Add(-3 * time.Minute).Unix() }, accounts.ErrRefused},
		"expired within skew":    {func(c jwt.MapClaims) { c["exp"] = time.Now().Add(-time.Minute).Unix() }, nil},
		"not yet valid":          {func(c jwt.MapClaims) { c["nbf"] = time.Now().Add(10 * time.Minute).Unix() }, accounts.ErrRefused},
		"not yet, within skew":   {func(c jwt.MapClaims) { c["nbf"] = time.Now().Add(2 * time.Minute).Unix() }, nil},
		"another domain":         {func(c jwt.MapClaims) { c["email"] = "ada@evil.example" }, accounts.ErrNotAllowed},
		"a subdomain":            {func(c jwt.MapClaims) { c["email"] = "ada@x.example.com" }, accounts.ErrNotAllowed},
		"a domain as the name":   {func(c jwt.MapClaims) { c["email"] = "example.com" }, accounts.ErrNotAllowed},
		"an address in a name":   {func(c jwt.MapClaims) { c["email"] = "x@example.com@evil.example" }, accounts.ErrNotAllowed},
		"not verified":           {func(c jwt.MapClaims) { c["email_verified"] = false }, accounts.ErrNotAllowed},
		"address from userinfo":  {func(c jwt.MapClaims) { delete(c, "email"); delete(c, "email_verified") }, nil},
		"no email_verified":      {func(c jwt.MapClaims) { delete(c, "email_verified") }, accounts.ErrNotAllowed},
		"verified, as a string":  {func(c jwt.MapClaims) { c["email_verified"] = "true" }, nil},
		"a name that is refused": {func(c jwt.MapClaims) { c["name"] = "\u202e" }, nil},
	}
	for name, test := range tests {
		f.change = test.change
		signedIn, err := f.signIn()
		f.want(name, err, test.want)
		if err == nil && signedIn.User.Name == "" {
			t.Errorf("%s: no name", name)
		}
	}
	f.change, f.userinfoSubject = tests["address from userinfo"].change, "eve"
	_, err := f.signIn()
	f.want("address of another subject", err, accounts.ErrRefused)
}

func TestWrongSignatureIsRefused(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	_, err := f.signIn()
	f.must(err)
	other, err := mockoidc.RandomKeypair(2048)
	f.must(err)
	f.oldKeys, err = f.mock.Keypair.JWKS()
	f.must(err)
	other.Kid, err = f.mock.Keypair.KeyID() // the name of the key that is published
	f.must(err)
	f.mock.Keypair = other
	_, err = f.signIn()
	f.want("an ID token with another key", err, accounts.ErrRefused)
	f.want("a logout token with another key", f.provider.Logout(ctx, f.logoutToken(func(jwt.MapClaims) {})), accounts.ErrRefused)
	f.oldKeys = nil // the provider publishes the new key
	_, err = f.signIn()
	f.must(err)
	unsigned := jwt.NewWithClaims(jwt.SigningMethodNone, jwt.MapClaims{"sub": "ada"})
	text, err := unsigned.SignedString(jwt.UnsafeAllowNoneSignatureType)
	f.must(err)
	f.want("an unsigned logout token", f.provider.Logout(ctx, text), accounts.ErrRefused)
}

func TestClockSkew(t *testing.T) {
	t.Parallel()
	for skew, want := range map[time.Duration]error{
		2 * time.Minute: nil, -2 * time.Minute: nil, -11 * time.Minute: nil, // tokens are valid for ten minutes
		20 * time.Minute: accounts.ErrRefused, -20 * time.Minute: accounts.ErrRefused,
	} {
		f := newFixture(t)
		f.mock.FastForward(skew)
		_, err := f.signIn()
		f.want("the provider's clock differs by "+skew.String(), err, want)
	}
}

func TestDeadProvider(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	f := newFixture(t, func(o *oidc.Options) { o.Issuer = "http://" + address + mockoidc.IssuerBase }) // New does not fail
	began := time.Now()
	for range 50 { // they share few requests to the provider
		_, _, err := f.provider.Begin(ctx, redirect, "/", identity.User{})
		f.want("begin", err, accounts.ErrUnavailable)
	}
	f.want("logout", f.provider.Logout(ctx, "x"), accounts.ErrUnavailable)
	if took := time.Since(began); took < 5*time.Second && strings.Count(f.log.String(), "cannot discover") != 1 {
		t.Errorf("log: %s", f.log)
	}
	// The provider starts.
	mock, err := mockoidc.NewServer(nil)
	f.must(err)
	listener, err = net.Listen("tcp", address)
	if err != nil {
		t.Skip("the port was taken: ", err)
	}
	mock.ClientID, mock.ClientSecret = f.mock.ClientID, f.mock.ClientSecret
	f.must(mock.Start(listener, nil))
	defer mock.Shutdown()
	f.mock = mock
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		if _, _, err = f.provider.Begin(ctx, redirect, "/", identity.User{}); err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the provider was not discovered again")
		}
	}
	_, err = f.signIn()
	f.must(err)
	cookie, query := f.authorize("/", identity.User{})
	mock.QueueError(&mockoidc.ServerError{Code: http.StatusServiceUnavailable, Error: "temporarily_unavailable"})
	_, _, err = f.provider.Finish(ctx, cookie, query, accounts.SignIn{})
	f.want("the provider is away at the exchange", err, accounts.ErrUnavailable)
}

func TestProviderThatLies(t *testing.T) {
	t.Parallel()
	var sent atomic.Int64
	responses := map[string]http.HandlerFunc{
		"another issuer": func(w http.ResponseWriter, r *http.Request) { w.Write([]byte(`{"issuer":"https://evil.example"}`)) },
		"no JSON":        func(w http.ResponseWriter, r *http.Request) { w.Write([]byte(`<html>`)) },
		"an error":       func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(500) },
		"endless": func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				n, err := w.Write(bytes.Repeat([]byte(" "), 1<<16))
				sent.Add(int64(n))
				if err != nil {
					return
				}
			}
		},
	}
	for name, response := range responses {
		server := httptest.NewServer(response)
		f := newFixture(t, func(o *oidc.Options) { o.Issuer = server.URL })
		_, _, err := f.provider.Begin(ctx, redirect, "/", identity.User{})
		f.want(name, err, accounts.ErrUnavailable)
		server.CloseClientConnections()
		server.Close()
	}
	if sent.Load() > 20<<20 { // more than the buffers of the connection
		t.Errorf("read %d bytes of an endless response", sent.Load())
	}
}

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
	other, err := f.accounts.Spend(ctx, link, accounts.SignIn{}) // not from the provider
	f.must(err)

	token := f.logoutToken(func(c jwt.MapClaims) { c["sid"] = "one" })
	f.must(f.provider.Logout(ctx, token))
	if live(one) || !live(two) || !live(other) {
		t.Error("the logout of one session ended other sessions, or did not end it")
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
		t.Error("the logout of a subject ended others, or not itself")
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
		"neither":         func(c jwt.MapClaims) { delete(c, "sid"); delete(c, "sub") },
		"another issuer":  func(c jwt.MapClaims) { c["iss"] = "https://evil.example" },
		"another client":  func(c jwt.MapClaims) { c["aud"] = "x" },
		"expired":         func(c jwt.MapClaims) { c["exp"] = time.Now().Add(-time.Hour).Unix() },
		"valid for years": func(c jwt.MapClaims) { c["exp"] = time.Now().Add(10000 * time.Hour).Unix() },
	} {
		f.want(name, f.provider.Logout(ctx, f.logoutToken(change)), accounts.ErrRefused)
	}
}

// The libraries quote responses in their errors, and mockoidc quotes the code.
func TestCodesAreNotLogged(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	var codes []string
	for range 2 {
		cookie, query := f.authorize("/", identity.User{})
		f.mock.SessionStore.Store[query.Get("code")].Granted = len(codes) > 0 // the second code was used before
		_, _, err := f.provider.Finish(ctx, cookie, query, accounts.SignIn{})
		codes = append(codes, query.Get("code"), cookie)
		if err != nil {
			f.log.Write([]byte(err.Error()))
		}
	}
	f.want("logout", f.provider.Logout(ctx, "a.secret.token"), accounts.ErrRefused)
	for _, code := range append(codes, "secret", f.mock.ClientSecret) {
		if strings.Contains(f.log.String(), code) {
			t.Errorf("the log has the code %q: %s", code, f.log)
		}
	}
	if !strings.Contains(f.log.String(), "refused the code") {
		t.Errorf("log: %s", f.log)
	}
}

func TestWrongOptions(t *testing.T) {
	t.Parallel()
	for _, options := range []oidc.Options{{}, {Issuer: "login.example", ClientID: "x"}, {Issuer: "ftp://x", ClientID: "x"}, {Issuer: "https://x"}, {Issuer: "://", ClientID: "x"}} {
		if _, err := oidc.New(nil, options); err == nil {
			t.Errorf("%+v was accepted", options)
		}
	}
}
