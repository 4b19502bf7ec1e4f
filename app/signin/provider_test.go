//go:build unix

package signin_test

import (
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"burble/app/apptest"
	"burble/streams/redistest"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
	"github.com/oauth2-proxy/mockoidc"
)

// startProvider starts an identity provider and returns the settings of a server that uses it.
func startProvider(t *testing.T) (mock *mockoidc.MockOIDC, settings []string) {
	t.Helper()
	mock, err := mockoidc.NewServer(nil)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := mock.Start(listener, nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { mock.Shutdown() })
	return mock, []string{"OIDC_ISSUER=" + mock.Issuer(), "OIDC_CLIENT_ID=" + mock.ClientID, "OIDC_CLIENT_SECRET=" + mock.ClientSecret}
}

// authorize signs in at the provider and returns the path of the callback that the provider redirects to.
func (b *browser) authorize(mock *mockoidc.MockOIDC, subject, next string) (callback string) {
	b.Helper()
	mock.QueueUser(&mockoidc.MockUser{Subject: subject, Email: subject + "@example.org", EmailVerified: true, PreferredUsername: subject})
	start := b.expect("start", b.get("/oidc/start?next="+url.QueryEscape(next)), http.StatusSeeOther)
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Get(start.location())
	if err != nil {
		b.Fatal(err)
	}
	response.Body.Close()
	callback, found := strings.CutPrefix(response.Header.Get("Location"), b.origin)
	if !found {
		b.Fatalf("the provider redirected to %q, want a URL of %s", response.Header.Get("Location"), b.origin)
	}
	return callback
}

func TestSignInWithProvider(t *testing.T) {
	t.Parallel()
	mock, settings := startProvider(t)
	server := apptest.Start(t, redistest.Start(t), append(settings, "ACCESS=members")...)
	ada := newBrowser(t, server)
	if page := ada.get("/sign-in?next=%2Fr%2Flobby"); !strings.Contains(page.body, `href="/oidc/start?next=%2fr%2flobby">Continue with 127.0.0.1</a>`) {
		t.Errorf("the page does not offer the provider: %s", page.body)
	}
	path, code := setupPath(t, server)
	callback := ada.authorize(mock, "ada", path)
	restore := ada.keepCookies()
	got := ada.expect("callback", ada.get(callback), http.StatusSeeOther)
	if got.location() != path {
		t.Fatalf("redirected to %q, want the setup page", got.location())
	}
	ada.expect("become the owner", ada.form("/setup", "code", code), http.StatusSeeOther)
	restore()
	ada.expect("the same response again", ada.get(callback), http.StatusForbidden)

	again := newBrowser(t, server)
	again.expect("callback", again.get(again.authorize(mock, "ada", "/")), http.StatusSeeOther)
	people := decode[[]struct{ Name, Role string }](again, again.do(http.MethodGet, "/people", ""))
	if len(people) != 1 || people[0].Name != "ada" || people[0].Role != "owner" {
		t.Errorf("got people %v, want one owner", people)
	}
}

func TestProviderSignInKeepsGuest(t *testing.T) {
	t.Parallel()
	mock, settings := startProvider(t)
	server := apptest.Start(t, redistest.Start(t), settings...)
	ada := newBrowser(t, server)
	guest := decode[signInResponse](ada, ada.json(http.MethodPost, "/session", "name", "Ada"))
	ada.expect("callback", ada.get(ada.authorize(mock, "ada", "/")), http.StatusSeeOther)
	people := decode[[]struct{ ID, Name string }](ada, ada.do(http.MethodGet, "/people", ""))
	if len(people) != 1 || people[0].ID != guest.User.ID || people[0].Name != "Ada" {
		t.Errorf("got people %v, want the guest %v", people, guest.User)
	}
}

func TestInvalidProviderResponsesAreRefused(t *testing.T) {
	t.Parallel()
	mock, settings := startProvider(t)
	server := apptest.Start(t, redistest.Start(t), append(settings, "OIDC_DOMAINS=example.org")...)
	ada, mallory := newBrowser(t, server), newBrowser(t, server)

	callback := mallory.authorize(mock, "mallory", "/")
	ada.expect("a response to another browser", ada.get(callback), http.StatusForbidden)
	ada.authorize(mock, "ada", "/")
	got := ada.expect("the response to another sign-in", ada.get(callback), http.StatusForbidden)
	if !strings.Contains(got.body, "didn’t sign you in") {
		t.Errorf("the page does not explain the error: %s", got.body)
	}
	callback = ada.authorize(mock, "ada", "/")
	state := mustParse(callback).Query().Get("state")
	ada.expect("an error from the provider", ada.get("/oidc/callback?error=access_denied&state="+state), http.StatusForbidden)
	ada.expect("the code after the error", ada.get(callback), http.StatusForbidden)
	ada.authorize(mock, "ada", "/")
	ada.expect("no state", ada.get("/oidc/callback?code=x"), http.StatusForbidden)

	mock.QueueUser(&mockoidc.MockUser{Subject: "eve", Email: "eve@elsewhere.org", EmailVerified: true})
	callback = mallory.authorizeQueued()
	got = mallory.expect("an address in another domain", mallory.get(callback), http.StatusForbidden)
	if !strings.Contains(got.body, "can’t use your ") {
		t.Errorf("the page does not explain the error: %s", got.body)
	}
	for _, site := range []string{"cross-site", "same-site"} {
		got := ada.do(http.MethodGet, "/oidc/start?next=%2Fme", "", "Sec-Fetch-Site", site)
		if got.location() != "/sign-in?next=%2Fme" {
			t.Errorf("%s: redirected to %q, want the page for signing in", site, got.location())
		}
	}
	ada.expect("people", ada.do(http.MethodGet, "/people", ""), http.StatusForbidden)
}

// authorizeQueued is authorize for the user that is already queued in mockoidc.
func (b *browser) authorizeQueued() (callback string) {
	b.Helper()
	start := b.expect("start", b.get("/oidc/start"), http.StatusSeeOther)
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Get(start.location())
	if err != nil {
		b.Fatal(err)
	}
	response.Body.Close()
	return strings.TrimPrefix(response.Header.Get("Location"), b.origin)
}

func TestServerWorksWithoutProvider(t *testing.T) {
	t.Parallel()
	server := apptest.Start(t, redistest.Start(t), "OIDC_ISSUER=http://127.0.0.1:1", "OIDC_CLIENT_ID=burble")
	ada := newBrowser(t, server)
	got := ada.expect("start", ada.get("/oidc/start?next=%2Fr%2Flobby"), http.StatusServiceUnavailable)
	if !strings.Contains(got.body, "127.0.0.1 can’t be reached") || !strings.Contains(got.body, `name="next" type="hidden" value="/r/lobby"`) {
		t.Errorf("the page does not explain the error: %s", got.body)
	}
	ada.createPasskey("name", "Ada")
	ada.expect("people", ada.do(http.MethodGet, "/people", ""), http.StatusOK)
}

func TestSignInWithClockSkew(t *testing.T) {
	t.Parallel()
	for _, skew := range []time.Duration{-time.Minute, time.Minute} {
		mock, settings := startProvider(t)
		mock.FastForward(skew)
		server := apptest.Start(t, redistest.Start(t), settings...)
		ada := newBrowser(t, server)
		ada.expect("callback", ada.get(ada.authorize(mock, "ada", "/")), http.StatusSeeOther)
		ada.expect("people", ada.do(http.MethodGet, "/people", ""), http.StatusOK)
	}
}

func TestProviderEndsSessions(t *testing.T) {
	t.Parallel()
	mock, settings := startProvider(t)
	server := apptest.Start(t, redistest.Start(t), settings...)
	ada, provider := newBrowser(t, server), newBrowser(t, server)
	ada.expect("callback", ada.get(ada.authorize(mock, "ada", "/")), http.StatusSeeOther)
	logout := func(subject string) string {
		t.Helper()
		token, err := mock.Keypair.SignJWT(jwt.MapClaims{
			"iss": mock.Issuer(), "aud": mock.ClientID, "iat": time.Now().Unix(), "exp": time.Now().Add(time.Minute).Unix(), "jti": uuid.NewString(),
			"sub": subject, "events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}},
		})
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	send := func(token string) response {
		return provider.do(http.MethodPost, "/oidc/logout", url.Values{"logout_token": {token}, "other": {"ignored"}}.Encode(), "Origin", "", "Content-Type", "application/x-www-form-urlencoded")
	}
	provider.expect("an invalid token", send("x"), http.StatusBadRequest)
	provider.expect("the logout of another user", send(logout("bob")), http.StatusOK)
	ada.expect("people", ada.do(http.MethodGet, "/people", ""), http.StatusOK)
	token := logout("ada")
	provider.expect("logout", send(token), http.StatusOK)
	apptest.Eventually(t, 30*time.Second, "the session ends", func() bool {
		return ada.do(http.MethodGet, "/people", "").status == http.StatusForbidden
	})
	provider.expect("the same token again", send(token), http.StatusBadRequest)
}
