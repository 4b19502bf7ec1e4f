package passkeys_test

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"burble/app/accounts"
	"burble/app/apptest"

	"github.com/descope/virtualwebauthn"
	"github.com/google/uuid"
)

func TestCreateAndSignIn(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.register("Ada")
	signedIn, err := f.login()
	f.must(err)
	if signedIn.User != ada.User || signedIn.Session.ID == ada.Session.ID || signedIn.Role != accounts.Member {
		t.Errorf("signed in as %+v, want a new session of %v", signedIn, ada.User)
	}
	session, err := f.accounts.Verify(signedIn.Token)
	f.must(err)
	_, err = f.accounts.Verdict(ctx, session)
	f.must(err)
	list, err := f.passkeys.List(ctx, ada.User.ID)
	if err != nil || len(list) != 1 || uuid.Validate(list[0].Model) != nil || time.Since(list[0].Used) > time.Hour {
		t.Errorf("List returned %+v, %v; want one passkey that was just used", list, err)
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
			t.Errorf("a passkey takes %d bytes, want at most 400: %s", len(id)+len(record), record)
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
		t.Errorf("one response signed in %d times, want once", succeeded.Load())
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

// invalidResponses returns functions that make an invalid response for the fixture f. another is the fixture of
// another user, and handle is the user handle of f's user.
func invalidResponses(another *fixture, handle []byte) map[string]func(f *fixture) (code, response string) {
	return map[string]func(f *fixture) (code, response string){
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
			unknown := uuid.New()
			f.device.Options.UserHandle = unknown[:]
			return f.assert(relyingParty)
		},
		"another user's passkey as this user": func(f *fixture) (string, string) {
			f.key, f.device = another.key, another.device
			f.device.Options.UserHandle = handle
			return f.assert(relyingParty)
		},
		"no user handle": func(f *fixture) (string, string) {
			f.device.Options.UserHandle = nil
			return f.assert(relyingParty)
		},
		"short user handle": func(f *fixture) (string, string) {
			f.device.Options.UserHandle = handle[:15]
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
}

// from returns a relying party that differs from the site's.
func from(change func(*virtualwebauthn.RelyingParty)) virtualwebauthn.RelyingParty {
	wrong := relyingParty
	change(&wrong)
	return wrong
}

func TestInvalidResponsesAreRefused(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.register("Ada")
	another := *f
	another.device, another.key = virtualwebauthn.NewAuthenticator(), apptest.NewCredential()
	another.register("Eve")
	adaHandle := uuid.MustParse(ada.User.ID)
	for name, wrong := range invalidResponses(&another, adaHandle[:]) {
		own := *f
		own.device.Options.UserHandle = slices.Clone(f.device.Options.UserHandle)
		code, response := wrong(&own)
		_, err := f.passkeys.FinishLogin(ctx, site, code, []byte(response), accounts.SignIn{})
		f.want(name, err, accounts.ErrRefused)
		if err != nil && err.Error() != accounts.ErrRefused.Error() {
			t.Errorf("%s: got the error %v, want %v without details", name, err, accounts.ErrRefused)
		}
		if strings.Contains(f.log.String(), code+" ") || strings.Contains(f.log.String(), "Ada") {
			t.Errorf("%s: the log contains the code or the name: %q", name, f.log.String())
		}
	}
	code, response := f.create(newUser(t, "Bob"), from(func(rp *virtualwebauthn.RelyingParty) { rp.Origin = "http://chat.example" }))
	_, err := f.passkeys.FinishCreate(ctx, site, code, []byte(response), "Key")
	f.want("create from another origin", err, accounts.ErrRefused)
	f.device.Options.UserHandle = adaHandle[:]
	if _, err := f.login(); err != nil {
		t.Errorf("sign in with a valid response: %v", err)
	}
}

// iCloud can change a passkey's flag "backup eligible".
func TestBackupEligibilityMayChange(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.register("Ada")
	for _, eligible := range []bool{true, false, true} {
		f.device.Options.BackupEligible, f.device.Options.BackupState = eligible, eligible
		signedIn, err := f.login()
		if err != nil || signedIn.User != ada.User {
			t.Errorf("backup eligible = %v: signed in as %v, %v; want %v", eligible, signedIn.User, err, ada.User)
		}
	}
	if !strings.Contains(f.log.String(), "the backup eligibility of a passkey changed") {
		t.Errorf("want \"the backup eligibility of a passkey changed\" in the log, got: %s", f.log)
	}
}

func TestCounterThatGoesBackwardsIsLogged(t *testing.T) {
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
		t.Errorf("want \"may have been copied\" in the log, got: %s", f.log)
	}
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

func TestBrowserOptions(t *testing.T) {
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
		t.Errorf("got options %s, want no attestation, a discoverable passkey, user verification, the existing passkey excluded, and Ada as the user", options)
	}
	options, _, err = f.passkeys.BeginLogin(ctx, site)
	f.must(err)
	if strings.Contains(string(options), "allowCredentials") || !strings.Contains(string(options), `"userVerification":"required"`) {
		t.Errorf("got options %s, want user verification and no allowCredentials", options)
	}
}

// Refusing a response for a user who does not exist must take as long as refusing an invalid one for a user who does.
func TestUnknownUserTakesAsLongAsKnownUser(t *testing.T) {
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
	// Without the verification of a signature, a refusal takes about half as long.
	if ratio < 0.8 || ratio > 1.25 {
		t.Errorf("an unknown user takes %.2f times as long as a known one, want 0.8 to 1.25", ratio)
	}
}
