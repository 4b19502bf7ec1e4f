package oidc_test

import (
	"bytes"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"burble/app/accounts"
	"burble/app/accounts/oidc"
	"burble/app/identity"
	"burble/streams/redistest"

	"github.com/golang-jwt/jwt/v5"
	"github.com/oauth2-proxy/mockoidc"
)

const redirect = "https://chat.example/oidc"

func TestSignInAgainToSameAccount(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	first, err := f.signIn()
	f.must(err)
	second, err := f.signIn()
	f.must(err)
	if first.User != second.User || first.User.Name != "Ada Lovelace" || first.Session.ID == second.Session.ID {
		t.Errorf("signed in as %+v and %+v, want two sessions of Ada Lovelace", first, second)
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
		t.Errorf("signed in as %v, next %q, error %v; want %v and the room's path", signedIn.User, next, err, guest)
	}
	f.want("guest", f.accounts.Guest(ctx, guest.ID), accounts.ErrUpgraded)
	// If the same person signs in as another guest, the account keeps its user ID.
	other, err := identity.NewUser("Other")
	f.must(err)
	cookie, query = f.authorize("/", other)
	signedIn, _, err = f.provider.Finish(ctx, cookie, query, accounts.SignIn{})
	if err != nil || signedIn.User != guest {
		t.Errorf("signed in as %v, %v; want %v", signedIn.User, err, guest)
	}
	f.want("the other guest", f.accounts.Guest(ctx, other.ID), nil)
}

func TestEveryResponseWorksOnce(t *testing.T) {
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
		t.Errorf("one response signed in %d times, want once", succeeded.Load())
	}
}

func TestResponsesForOtherSignInsAreRefused(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	mallory, response := f.authorize("/", identity.User{})
	ada, _ := f.authorize("/", identity.User{})
	for what, cookie := range map[string]string{"another browser": ada, "no cookie": "", "part of the cookie": mallory[:10]} {
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
		t.Fatalf("sign in with a valid token: %v", err)
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
		"another azp":            {func(c jwt.MapClaims) { c["aud"] = []string{"x", f.mock.ClientID}; c["azp"] = "x" }, accounts.ErrRefused},
		"own azp":                {func(c jwt.MapClaims) { c["aud"] = []string{"x", f.mock.ClientID}; c["azp"] = f.mock.ClientID }, nil},
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
			t.Errorf("%s: the user has no name", name)
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
	other.Kid, err = f.mock.Keypair.KeyID() // the ID of the published key
	f.must(err)
	f.mock.Keypair = other
	_, err = f.signIn()
	f.want("an ID token with another key", err, accounts.ErrRefused)
	f.want("a logout token with another key", f.provider.Logout(ctx, f.logoutToken(func(jwt.MapClaims) {})), accounts.ErrRefused)
	f.oldKeys = nil // the provider now publishes the new key
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

func TestUnreachableProvider(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	f := newFixture(t, func(o *oidc.Options) { o.Issuer = "http://" + address + mockoidc.IssuerBase }) // New does not fail
	began := time.Now()
	for range 50 { // attempts share a few requests to the provider
		_, _, err := f.provider.Begin(ctx, redirect, "/", identity.User{})
		f.want("begin", err, accounts.ErrUnavailable)
	}
	f.want("logout", f.provider.Logout(ctx, "x"), accounts.ErrUnavailable)
	if took := time.Since(began); took < 5*time.Second && strings.Count(f.log.String(), "cannot discover") != 1 {
		t.Errorf("want one \"cannot discover\" in the log, got: %s", f.log)
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
			t.Fatal("discovery was not repeated within a minute")
		}
	}
	_, err = f.signIn()
	f.must(err)
	cookie, query := f.authorize("/", identity.User{})
	mock.QueueError(&mockoidc.ServerError{Code: http.StatusServiceUnavailable, Error: "temporarily_unavailable"})
	_, _, err = f.provider.Finish(ctx, cookie, query, accounts.SignIn{})
	f.want("the provider is unavailable during the exchange", err, accounts.ErrUnavailable)
}

func TestInvalidDiscoveryResponses(t *testing.T) {
	t.Parallel()
	var sent atomic.Int64
	responses := map[string]http.HandlerFunc{
		"another issuer": func(w http.ResponseWriter, r *http.Request) { w.Write([]byte(`{"issuer":"https://evil.example"}`)) },
		"not JSON":       func(w http.ResponseWriter, r *http.Request) { w.Write([]byte(`<html>`)) },
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
		t.Errorf("read %d bytes of an endless response, want at most 20 MB", sent.Load())
	}
}

// The libraries' errors quote responses, and mockoidc's responses quote the code.
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
			t.Errorf("the log contains the code %q: %s", code, f.log)
		}
	}
	if !strings.Contains(f.log.String(), "refused the code") {
		t.Errorf("want \"refused the code\" in the log, got: %s", f.log)
	}
}

func TestInvalidOptions(t *testing.T) {
	t.Parallel()
	for _, options := range []oidc.Options{{}, {Issuer: "login.example", ClientID: "x"}, {Issuer: "ftp://x", ClientID: "x"}, {Issuer: "https://x"}, {Issuer: "://", ClientID: "x"}} {
		if _, err := oidc.New(nil, options); err == nil {
			t.Errorf("New accepted the invalid options %+v", options)
		}
	}
}
