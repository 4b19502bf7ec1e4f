package passkeys_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"testing"

	"burble/app/accounts"
	"burble/app/accounts/passkeys"
	"burble/app/apptest"
	"burble/app/identity"
	"burble/streams/conns"
	"burble/streams/redistest"

	"github.com/descope/virtualwebauthn"
	"github.com/google/uuid"
)

// Helpers of this package's tests:
//
//	fixture   is Passkeys with a virtual authenticator, which registers and signs in
//	newUser   returns a guest
//	second    returns the error of a call with two results

var ctx = context.Background()

func TestMain(m *testing.M) { os.Exit(redistest.Main(m)) }

var site = passkeys.Site{ID: "chat.example", Name: "Burble", Origins: []string{"https://chat.example"}}

var relyingParty = virtualwebauthn.RelyingParty{ID: "chat.example", Name: "Burble", Origin: "https://chat.example"}

// fixture is a Redis, and a person's browser with an authenticator.
type fixture struct {
	*testing.T
	accounts *accounts.Accounts
	passkeys *passkeys.Passkeys
	log      *bytes.Buffer

	device virtualwebauthn.Authenticator
	key    virtualwebauthn.Credential
}

func newFixture(t *testing.T) *fixture {
	server := redistest.Start(t)
	set := conns.New(conns.Options{Redis: server.Redis(), Stream: "{0}:activity"})
	t.Cleanup(func() { set.Close() })
	a := accounts.New(accounts.Options{Redis: set, Secret: []byte("a secret that all servers share!")})
	log := &bytes.Buffer{}
	return &fixture{
		T: t, accounts: a, passkeys: passkeys.New(a, slog.New(slog.NewTextHandler(log, nil))), log: log,
		device: virtualwebauthn.NewAuthenticator(), key: apptest.NewCredential(),
	}
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

func newUser(t *testing.T, name string) identity.User {
	t.Helper()
	user, err := identity.NewUser(name)
	if err != nil {
		t.Fatal(err)
	}
	return user
}

// create responds to the options for a new passkey.
func (f *fixture) create(user identity.User, from virtualwebauthn.RelyingParty) (code, response string) {
	f.Helper()
	options, code, err := f.passkeys.BeginCreate(ctx, site, user)
	f.must(err)
	parsed, err := virtualwebauthn.ParseAttestationOptions(string(options))
	f.must(err)
	if handle := uuid.MustParse(user.ID); parsed.UserID != string(handle[:]) || parsed.RelyingPartyID != site.ID {
		f.Fatalf("got options %s, want the user ID as the handle and the site as the relying party", options)
	}
	f.device.Options.UserHandle = []byte(parsed.UserID)
	return code, virtualwebauthn.CreateAttestationResponse(from, f.device, f.key, *parsed)
}

// register creates an account with a passkey.
func (f *fixture) register(name string) accounts.SignedIn {
	f.Helper()
	code, response := f.create(newUser(f.T, name), relyingParty)
	passkey, err := f.passkeys.FinishCreate(ctx, site, code, []byte(response), "Key")
	f.must(err)
	signedIn, err := f.accounts.Upgrade(ctx, accounts.SignIn{User: passkey.User, Passkey: passkey})
	f.must(err)
	return signedIn
}

// assert responds to the options for a sign-in.
func (f *fixture) assert(from virtualwebauthn.RelyingParty) (code, response string) {
	f.Helper()
	options, code, err := f.passkeys.BeginLogin(ctx, site)
	f.must(err)
	parsed, err := virtualwebauthn.ParseAssertionOptions(string(options))
	f.must(err)
	f.key.Counter++
	return code, virtualwebauthn.CreateAssertionResponse(from, f.device, f.key, *parsed)
}

func (f *fixture) login() (accounts.SignedIn, error) {
	f.Helper()
	code, response := f.assert(relyingParty)
	return f.passkeys.FinishLogin(ctx, site, code, []byte(response), accounts.SignIn{Device: "test"})
}

func second[T any](_ T, err error) error { return err }
