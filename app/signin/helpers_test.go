//go:build unix

package signin_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"burble/app/apptest"
	"burble/streams/redistest"

	"github.com/descope/virtualwebauthn"
	"github.com/google/uuid"
)

// Helpers for this package's tests:
//
//	startTeam                   starts a server with an owner
//	newBrowser                  returns a browser with cookies and an authenticator
//	browser.get, form, json     send a request
//	createPasskey, usePasskey   sign in with a passkey
//	invite, join, link          create an invite, a user who accepts one, and a sign-in link
//	setupPath                   returns the path of the setup link in the server's output

func TestMain(m *testing.M) { os.Exit(apptest.Main(m)) }

// browser is a browser with cookies and an authenticator, on one server.
type browser struct {
	*testing.T
	server *apptest.Server
	client *http.Client
	origin string
	userID string // of the account, in the browsers of startTeam and join

	device virtualwebauthn.Authenticator
	key    virtualwebauthn.Credential
}

func newBrowser(t *testing.T, server *apptest.Server) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	apptest.Eventually(t, 30*time.Second, "the server listens", func() bool {
		found = listening.FindStringSubmatch(server.Output())
		return found != nil
	})
	return &browser{
		T: t, server: server,
		client: &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
		origin: found[1],
		device: virtualwebauthn.NewAuthenticator(), key: apptest.NewCredential(),
	}
}

// response is an HTTP response.
type response struct {
	status int
	header http.Header
	body   string
}

// do sends a request. headers alternates names and values.
func (b *browser) do(method, path, body string, headers ...string) response {
	b.Helper()
	request, err := http.NewRequest(method, b.origin+path, strings.NewReader(body))
	if err != nil {
		b.Fatal(err)
	}
	if method != http.MethodGet && method != http.MethodHead {
		request.Header.Set("Origin", b.origin)
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	received, err := b.client.Do(request)
	if err != nil {
		b.Fatal(err)
	}
	defer received.Body.Close()
	text, err := io.ReadAll(received.Body)
	if err != nil {
		b.Fatal(err)
	}
	return response{received.StatusCode, received.Header, string(text)}
}

// get opens a page.
func (b *browser) get(path string) response {
	b.Helper()
	return b.do(http.MethodGet, path, "", "Accept", "text/html")
}

// form submits a form. fields alternates names and values.
func (b *browser) form(path string, fields ...string) response {
	b.Helper()
	values := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		values.Set(fields[i], fields[i+1])
	}
	return b.do(http.MethodPost, path, values.Encode(), "Accept", "text/html", "Content-Type", "application/x-www-form-urlencoded")
}

// json sends a request with a JSON object of strings. fields alternates names and values.
func (b *browser) json(method, path string, fields ...string) response {
	b.Helper()
	object := map[string]string{}
	for i := 0; i < len(fields); i += 2 {
		object[fields[i]] = fields[i+1]
	}
	encoded, err := json.Marshal(object)
	if err != nil {
		b.Fatal(err)
	}
	return b.do(method, path, string(encoded), "Content-Type", "application/json")
}

// expect fails the test unless the response has the status. It returns the response.
func (b *browser) expect(what string, got response, status int) response {
	b.Helper()
	if got.status != status {
		b.Fatalf("%s: status %d, want %d: %.600s", what, got.status, status, got.body)
	}
	return got
}

// decode decodes the response's JSON.
func decode[T any](b *browser, got response) (value T) {
	b.Helper()
	if err := json.Unmarshal([]byte(got.body), &value); err != nil {
		b.Fatalf("%v in %.600s", err, got.body)
	}
	return value
}

// signInResponse is the response to a request that signs in.
type signInResponse struct {
	User              struct{ ID, Name string }
	Token, Room, Next string
}

// location returns the URL that the response redirects to.
func (r response) location() string { return r.header.Get("Location") }

var listening = regexp.MustCompile(`msg=listening url=(\S+)`)

var setupLink = regexp.MustCompile(`url=\S*(/setup\?code=[\w.-]+)`)

// setupPath returns the path and the code of the setup link in the server's output.
func setupPath(t *testing.T, server *apptest.Server) (path, code string) {
	t.Helper()
	var found []string
	apptest.Eventually(t, 30*time.Second, "the setup link is logged", func() bool {
		found = setupLink.FindStringSubmatch(strings.ReplaceAll(server.Output(), `"`, ""))
		return found != nil
	})
	_, code, _ = strings.Cut(found[1], "code=")
	return found[1], code
}

// relyingParty describes the server to the authenticator.
func (b *browser) relyingParty() virtualwebauthn.RelyingParty {
	return virtualwebauthn.RelyingParty{ID: "localhost", Name: "Burble", Origin: b.origin}
}

// startCreate begins to create a passkey and returns the authenticator's response. fields alternates the names and
// values of the request's fields.
func (b *browser) startCreate(fields ...string) (response string) {
	b.Helper()
	options := b.expect("options for a passkey", b.json(http.MethodPost, "/passkeys/options", fields...), http.StatusOK)
	parsed, err := virtualwebauthn.ParseAttestationOptions(options.body)
	if err != nil {
		b.Fatal(err)
	}
	b.device.Options.UserHandle = []byte(parsed.UserID)
	return virtualwebauthn.CreateAttestationResponse(b.relyingParty(), b.device, b.key, *parsed)
}

// createPasskey creates a passkey, and an account unless the browser is signed in.
func (b *browser) createPasskey(fields ...string) signInResponse {
	b.Helper()
	finish := []string{"answer", b.startCreate(fields...)}
	for i := 0; i < len(fields); i += 2 {
		if fields[i] == "code" {
			finish = append(finish, "code", fields[i+1])
		}
	}
	signedIn := decode[signInResponse](b, b.expect("create a passkey", b.json(http.MethodPost, "/passkeys", finish...), http.StatusOK))
	b.device.AddCredential(b.key)
	return signedIn
}

// answerPasskeyChallenge begins to sign in with a passkey and returns the authenticator's response.
func (b *browser) answerPasskeyChallenge() (response string) {
	b.Helper()
	options := b.expect("options for a sign-in", b.json(http.MethodPost, "/sign-in/options"), http.StatusOK)
	parsed, err := virtualwebauthn.ParseAssertionOptions(options.body)
	if err != nil {
		b.Fatal(err)
	}
	return virtualwebauthn.CreateAssertionResponse(b.relyingParty(), b.device, b.key, *parsed)
}

// usePasskey signs in with the passkey.
func (b *browser) usePasskey() signInResponse {
	b.Helper()
	return decode[signInResponse](b, b.expect("sign in", b.json(http.MethodPost, "/sign-in", "answer", b.answerPasskeyChallenge()), http.StatusOK))
}

// startTeam starts a server whose owner is Olga.
func startTeam(t *testing.T, env ...string) (*redistest.Server, *apptest.Server, *browser) {
	t.Helper()
	redis := redistest.Start(t)
	server := apptest.Start(t, redis, env...)
	owner := newBrowser(t, server)
	_, code := setupPath(t, server)
	owner.userID = owner.createPasskey("name", "Olga", "code", code).User.ID
	return redis, server, owner
}

// invite creates an invite and returns its ID and its path.
func (b *browser) invite(fields ...string) (id, path string) {
	b.Helper()
	made := decode[struct{ ID, URL string }](b, b.expect("create an invite", b.json(http.MethodPost, "/invites", fields...), http.StatusCreated))
	return made.ID, strings.TrimPrefix(made.URL, b.origin)
}

// join returns a new browser whose user has accepted an invite that b created.
func (b *browser) join(name string) (*browser, signInResponse) {
	b.Helper()
	_, path := b.invite()
	other := newBrowser(b.T, b.server)
	signedIn := decode[signInResponse](other, other.expect("accept an invite", other.json(http.MethodPost, path, "name", name), http.StatusOK))
	other.userID = signedIn.User.ID
	return other, signedIn
}

// link creates a one-time link for the user and returns its path.
func (b *browser) link(user string) (path string) {
	b.Helper()
	made := decode[struct{ URL string }](b, b.expect("create a link", b.json(http.MethodPost, "/people/"+user+"/link"), http.StatusCreated))
	return strings.TrimPrefix(made.URL, b.origin)
}

// role returns the user's role in the list of people, or "" if the user has no account.
func (b *browser) role(user string) string {
	b.Helper()
	people := decode[[]struct{ ID, Role string }](b, b.expect("list the people", b.do(http.MethodGet, "/people", ""), http.StatusOK))
	for _, one := range people {
		if one.ID == user {
			return one.Role
		}
	}
	return ""
}

func newKey() string { return uuid.NewString() }

// hiddenField returns the value of a hidden field of a page.
func hiddenField(t *testing.T, page, name string) string {
	t.Helper()
	found := regexp.MustCompile(`name="` + name + `" type="hidden" value="([^"]*)"`).FindStringSubmatch(page)
	if found == nil {
		t.Fatalf("there is no field %q in %s", name, page)
	}
	return found[1]
}

// clearToken removes the browser's cookies.
func (b *browser) clearToken() {
	b.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		b.Fatal(err)
	}
	b.client.Jar = jar
}

// awaitRefusal waits until the server refuses the token. The server must first read from Redis that the session has
// ended.
func (b *browser) awaitRefusal(token string) {
	b.Helper()
	apptest.Eventually(b, 30*time.Second, "the token is refused", func() bool {
		return b.do(http.MethodGet, "/rooms", "", "Authorization", "Bearer "+token).status == http.StatusForbidden
	})
}

// keepCookies returns a function that restores the browser's current cookies.
func (b *browser) keepCookies() (restore func()) {
	b.Helper()
	origin := mustParse(b.origin)
	kept := b.client.Jar.Cookies(origin)
	for _, cookie := range kept {
		cookie.Path = "/"
	}
	return func() { b.client.Jar.SetCookies(origin, kept) }
}
