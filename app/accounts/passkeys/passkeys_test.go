package passkeys_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"burble/app/accounts"
	"burble/app/accounts/passkeys"
	"burble/app/apptest"
	"burble/app/identity"
	"burble/streams/conns"
	"burble/streams/redistest"

	"github.com/descope/virtualwebauthn"
	"github.com/google/uuid"
)

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
		f.Fatalf("options %s", options)
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

func TestCreateAndSignIn(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.register("Ada")
	signedIn, err := f.login()
	f.must(err)
	if signedIn.User != ada.User || signedIn.Session.ID == ada.Session.ID || signedIn.Role != accounts.Member {
		t.Errorf("signed in as %+v", signedIn)
	}
	session, err := f.accounts.Verify(signedIn.Token)
	f.must(err)
	_, err = f.accounts.Verdict(ctx, session)
	f.must(err)
	list, err := f.passkeys.List(ctx, ada.User.ID)
	if err != nil || len(list) != 1 || uuid.Validate(list[0].Model) != nil || time.Since(list[0].Used) > time.Hour {
		t.Errorf("passkeys: %+v, %v", list, err)
	}
}

func TestRecordIsSmall(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.register("Ada")
	all, err := f.accounts.Passkeys(ctx, ada.User.ID)
	f.must(err)
	for id, record := range all {
		t.Logf("%d bytes", len(id)+len(record))
		if len(id)+len(record) > 400 {
			t.Errorf("a passkey takes %d bytes: %s", len(id)+len(record), record)
		}
	}
}

func TestEveryResponseWorksOnce(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	code, response := f.create(newUser(t, "Ada"), relyingParty)
	passkey, err := f.passkeys.FinishCreate(ctx, site, code, []byte(response), "Key")
	f.must(err)
	_, err = f.passkeys.FinishCreate(ctx, site, code, []byte(response), "Key")
	f.want("replayed response to create", err, accounts.ErrRefused)
	_, err = f.accounts.Upgrade(ctx, accounts.SignIn{User: passkey.User, Passkey: passkey})
	f.must(err)

	code, response = f.assert(relyingParty)
	var succeeded atomic.Int32
	var working sync.WaitGroup
	for range 8 {
		working.Go(func() {
			_, err := f.passkeys.FinishLogin(ctx, site, code, []byte(response), accounts.SignIn{})
			if err == nil {
				succeeded.Add(1)
			} else {
				f.want("replayed response to get", err, accounts.ErrRefused)
			}
		})
	}
	working.Wait()
	if succeeded.Load() != 1 {
		t.Errorf("%d sign-ins with one response", succeeded.Load())
	}
	// The response must not work with another code either.
	other, _ := f.assert(relyingParty)
	_, err = f.passkeys.FinishLogin(ctx, site, other, []byte(response), accounts.SignIn{})
	f.want("response to another challenge", err, accounts.ErrRefused)
	// An invalid response uses up the code.
	code, response = f.assert(relyingParty)
	_, err = f.passkeys.FinishLogin(ctx, site, code, []byte("{}"), accounts.SignIn{})
	f.want("invalid response", err, accounts.ErrRefused)
	_, err = f.passkeys.FinishLogin(ctx, site, code, []byte(response), accounts.SignIn{})
	f.want("valid response after an invalid one", err, accounts.ErrRefused)
}

func TestKindsOfCeremoniesDoNotMix(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.register("Ada")
	create, attestation := f.create(newUser(t, "Bob"), relyingParty)
	get, assertion := f.assert(relyingParty)
	_, err := f.passkeys.FinishLogin(ctx, site, create, []byte(assertion), accounts.SignIn{})
	f.want("sign in with the code of a creation", err, accounts.ErrRefused)
	_, err = f.passkeys.FinishCreate(ctx, site, get, []byte(attestation), "Key")
	f.want("create with the code of a sign-in", err, accounts.ErrRefused)
}

func TestInvalidResponsesAreRefused(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.register("Ada")
	another := *f
	another.device, another.key = virtualwebauthn.NewAuthenticator(), apptest.NewCredential()
	another.register("Eve")
	from := func(change func(*virtualwebauthn.RelyingParty)) virtualwebauthn.RelyingParty {
		wrong := relyingParty
		change(&wrong)
		return wrong
	}
	adaHandle := uuid.MustParse(ada.User.ID)
	tests := map[string]func(f *fixture) (code, response string){
		"another origin": func(f *fixture) (string, string) {
			return f.assert(from(func(rp *virtualwebauthn.RelyingParty) { rp.Origin = "https://evil.example" }))
		},
		"another port": func(f *fixture) (string, string) {
			return f.assert(from(func(rp *virtualwebauthn.RelyingParty) { rp.Origin = "https://chat.example:444" }))
		},
		"another relying party": func(f *fixture) (string, string) {
			return f.assert(from(func(rp *virtualwebauthn.RelyingParty) { rp.ID = "evil.example" }))
		},
		"another key with the same ID": func(f *fixture) (string, string) {
			f.key.Key = apptest.NewCredential().Key
			return f.assert(relyingParty)
		},
		"unknown passkey": func(f *fixture) (string, string) {
			f.key = apptest.NewCredential()
			return f.assert(relyingParty)
		},
		"unknown user": func(f *fixture) (string, string) {
			handle := uuid.New()
			f.device.Options.UserHandle = handle[:]
			return f.assert(relyingParty)
		},
		"another user's passkey as this user": func(f *fixture) (string, string) {
			f.key, f.device = another.key, another.device
			f.device.Options.UserHandle = adaHandle[:]
			return f.assert(relyingParty)
		},
		"no user handle": func(f *fixture) (string, string) {
			f.device.Options.UserHandle = nil
			return f.assert(relyingParty)
		},
		"short user handle": func(f *fixture) (string, string) {
			f.device.Options.UserHandle = adaHandle[:15]
			return f.assert(relyingParty)
		},
		"user not verified": func(f *fixture) (string, string) {
			f.device.Options.UserNotVerified = true
			return f.assert(relyingParty)
		},
		"user not present": func(f *fixture) (string, string) {
			f.device.Options.UserNotPresent = true
			return f.assert(relyingParty)
		},
		"backed up but not eligible": func(f *fixture) (string, string) {
			f.device.Options.BackupState = true
			return f.assert(relyingParty)
		},
		"no JSON":      func(f *fixture) (string, string) { code, _ := f.assert(relyingParty); return code, "no" },
		"unknown code": func(f *fixture) (string, string) { _, response := f.assert(relyingParty); return "x", response },
	}
	for name, wrong := range tests {
		own := *f
		own.device.Options.UserHandle = slices.Clone(f.device.Options.UserHandle)
		code, response := wrong(&own)
		_, err := f.passkeys.FinishLogin(ctx, site, code, []byte(response), accounts.SignIn{})
		f.want(name, err, accounts.ErrRefused)
		if err != nil && err.Error() != accounts.ErrRefused.Error() {
			t.Errorf("%s: the error differs: %v", name, err)
		}
		if strings.Contains(f.log.String(), code+" ") || strings.Contains(f.log.String(), "Ada") {
			t.Errorf("%s: the log has %q", name, f.log.String())
		}
	}
	code, response := f.create(newUser(t, "Bob"), from(func(rp *virtualwebauthn.RelyingParty) { rp.Origin = "http://chat.example" }))
	_, err := f.passkeys.FinishCreate(ctx, site, code, []byte(response), "Key")
	f.want("create from another origin", err, accounts.ErrRefused)
	f.device.Options.UserHandle = adaHandle[:]
	if _, err := f.login(); err != nil {
		t.Errorf("a valid response: %v", err)
	}
}

// iCloud changes the flag of a passkey, and a browser may add outputs of extensions.
func TestBackupEligibilityMayChange(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.register("Ada")
	for _, eligible := range []bool{true, false, true} {
		f.device.Options.BackupEligible, f.device.Options.BackupState = eligible, eligible
		signedIn, err := f.login()
		if err != nil || signedIn.User != ada.User {
			t.Errorf("eligible = %v: %v", eligible, err)
		}
	}
	if !strings.Contains(f.log.String(), "changed whether it can be backed up") {
		t.Errorf("log: %s", f.log)
	}
}

func TestCounterThatGoesBackIsLogged(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.register("Ada")
	f.key.Counter = 10
	_, err := f.login()
	f.must(err)
	f.key.Counter = 3
	_, err = f.login()
	f.must(err)
	if !strings.Contains(f.log.String(), "may have been copied") {
		t.Errorf("log: %s", f.log)
	}
}

func TestRemovedPasskeyDoesNotSignIn(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.register("Ada")
	list, err := f.passkeys.List(ctx, ada.User.ID)
	f.must(err)
	code, response := f.assert(relyingParty)
	f.must(f.accounts.RemovePasskey(ctx, ada.Session, list[0].ID))
	_, err = f.passkeys.FinishLogin(ctx, site, code, []byte(response), accounts.SignIn{})
	f.want("removed passkey", err, accounts.ErrRefused)
	// It can be added again, and by another user too.
	bob, err := f.accounts.Upgrade(ctx, accounts.SignIn{User: newUser(t, "Bob")})
	f.must(err)
	code, response = f.create(bob.User, relyingParty)
	passkey, err := f.passkeys.FinishCreate(ctx, site, code, []byte(response), "Key")
	f.must(err)
	f.want("add to another account", f.accounts.AddPasskey(ctx, ada.Session, passkey), accounts.ErrRefused)
	f.must(f.accounts.AddPasskey(ctx, bob.Session, passkey))
	f.must(f.accounts.AddPasskey(ctx, bob.Session, passkey)) // a retry
	signedIn, err := f.login()
	if err != nil || signedIn.User != bob.User {
		t.Errorf("signed in as %v, %v", signedIn.User, err)
	}
	f.must(f.accounts.SignOut(ctx, bob.User.ID, bob.User.ID, bob.Session.ID))
	f.want("add when signed out", f.accounts.AddPasskey(ctx, bob.Session, passkey), accounts.ErrSignedOut)
}

// Credential IDs are public, so another account must not be able to claim one.
func TestPasskeyBelongsToOneAccount(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.register("Ada")
	code, response := f.create(newUser(t, "Eve"), relyingParty)
	passkey, err := f.passkeys.FinishCreate(ctx, site, code, []byte(response), "Key")
	f.must(err)
	_, err = f.accounts.Upgrade(ctx, accounts.SignIn{User: passkey.User, Passkey: passkey})
	f.want("an account with a known passkey", err, accounts.ErrExists)
	f.want("no account was made", second(f.accounts.Account(ctx, passkey.User.ID)), accounts.ErrUnknown)
}

func second[T any](_ T, err error) error { return err }

func TestOptionsOfTheBrowser(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.register("Ada")
	options, _, err := f.passkeys.BeginCreate(ctx, site, ada.User)
	f.must(err)
	var create struct {
		PublicKey struct {
			Attestation            string
			AuthenticatorSelection struct{ ResidentKey, UserVerification string }
			ExcludeCredentials     []struct{ ID string }
			User                   struct{ ID, Name string }
		}
	}
	f.must(json.Unmarshal(options, &create))
	handle := uuid.MustParse(ada.User.ID)
	key := create.PublicKey
	if key.Attestation != "none" || key.AuthenticatorSelection.ResidentKey != "required" || key.AuthenticatorSelection.UserVerification != "required" ||
		len(key.ExcludeCredentials) != 1 || key.User.Name != "Ada" || key.User.ID != base64.RawURLEncoding.EncodeToString(handle[:]) {
		t.Errorf("options %s", options)
	}
	options, _, err = f.passkeys.BeginLogin(ctx, site)
	f.must(err)
	if strings.Contains(string(options), "allowCredentials") || !strings.Contains(string(options), `"userVerification":"required"`) {
		t.Errorf("options %s", options)
	}
}

func TestBannedPersonDoesNotSignIn(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.register("Ada")
	f.must(f.accounts.Ban(ctx, accounts.Operator, ada.User.ID, "spam"))
	_, err := f.login()
	f.want("sign in", err, accounts.ErrBanned)
}

// An owner from the start: the setup link with a passkey.
func TestSetupWithPasskey(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	setup, err := f.accounts.SetupCode(ctx)
	f.must(err)
	code, response := f.create(newUser(t, "Olga"), relyingParty)
	passkey, err := f.passkeys.FinishCreate(ctx, site, code, []byte(response), "Key")
	f.must(err)
	_, err = f.accounts.Redeem(ctx, setup, accounts.SignIn{User: newUser(t, "Eve"), Passkey: passkey})
	f.want("with the passkey of another user", err, accounts.ErrRefused)
	_, err = f.accounts.Redeem(ctx, setup, accounts.SignIn{User: passkey.User, Passkey: passkey})
	f.must(err)
	signedIn, err := f.login()
	if err != nil || signedIn.Role != accounts.Owner {
		t.Errorf("signed in as %+v, %v", signedIn, err)
	}
}

// The response for a user who does not exist must take as long as an invalid response for one who does.
func TestUnknownUsersTakeAsLong(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.register("Ada")
	real := f.device.Options.UserHandle
	wrongKey := apptest.NewCredential()
	wrongKey.ID = f.key.ID
	f.key = wrongKey
	const n = 300
	var known, unknown []time.Duration
	for i := range 2 * n {
		times := &known
		f.device.Options.UserHandle = real
		if i%2 == 1 {
			handle := uuid.New()
			f.device.Options.UserHandle, times = handle[:], &unknown
		}
		code, response := f.assert(relyingParty)
		began := time.Now()
		_, err := f.passkeys.FinishLogin(ctx, site, code, []byte(response), accounts.SignIn{})
		*times = append(*times, time.Since(began))
		f.want("wrong key", err, accounts.ErrRefused)
	}
	slices.Sort(known)
	slices.Sort(unknown)
	ratio := float64(unknown[n/2]) / float64(known[n/2])
	t.Logf("medians %v and %v", known[n/2], unknown[n/2])
	// Without the verification, a response takes about half as long.
	if ratio < 0.8 || ratio > 1.25 {
		t.Errorf("an unknown user takes %.2f times as long as a known one", ratio)
	}
}

func TestPasskeyIsRenamed(t *testing.T) {
	f := newFixture(t)
	signedIn := f.register("Ada")
	list, err := f.passkeys.List(ctx, signedIn.User.ID)
	f.must(err)
	if len(list) != 1 || list[0].Name != "Key" {
		t.Fatalf("got passkeys %+v, want one with the name Key", list)
	}
	id := list[0].ID
	for given, want := range map[string]string{"  My \n key ": "My key", strings.Repeat("é", 80): strings.Repeat("é", 50), "": ""} {
		f.must(f.passkeys.Rename(ctx, signedIn.Session, id, given))
		list, err := f.passkeys.List(ctx, signedIn.User.ID)
		f.must(err)
		if list[0].Name != want {
			t.Errorf("after Rename(%q), the name is %q, want %q", given, list[0].Name, want)
		}
	}
	other := accounts.Session{User: signedIn.Session.User, ID: uuid.New(), Expiry: signedIn.Session.Expiry}
	f.want("rename with another session", f.passkeys.Rename(ctx, other, id, "x"), accounts.ErrSignedOut)
	f.must(f.accounts.RemovePasskey(ctx, signedIn.Session, id))
	f.want("rename a removed passkey", f.passkeys.Rename(ctx, signedIn.Session, id, "x"), accounts.ErrUnknown)
}

func TestRemovedPasskeyDoesNotComeBack(t *testing.T) {
	f := newFixture(t)
	signedIn := f.register("Ada")
	all, err := f.accounts.Passkeys(ctx, signedIn.User.ID)
	f.must(err)
	for id, record := range all {
		f.must(f.accounts.RemovePasskey(ctx, signedIn.Session, id))
		_, err := f.accounts.ChangePasskey(ctx, signedIn.Session, id, record, "{}") // as a rename that read the record before
		f.want("change a removed passkey", err, accounts.ErrUnknown)
	}
	if left, err := f.accounts.Passkeys(ctx, signedIn.User.ID); err != nil || len(left) != 0 {
		t.Errorf("got passkeys %v, %v, want none", left, err)
	}
}
