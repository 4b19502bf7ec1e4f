package passkeys_test

import (
	"strings"
	"testing"

	"burble/app/accounts"

	"github.com/google/uuid"
)

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
	// Another user can then add it.
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
		t.Errorf("signed in as %v, %v; want %v", signedIn.User, err, bob.User)
	}
	f.must(f.accounts.SignOut(ctx, bob.User.ID, bob.User.ID, bob.Session.ID))
	f.want("add when signed out", f.accounts.AddPasskey(ctx, bob.Session, passkey), accounts.ErrSignedOut)
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
		_, err := f.accounts.ChangePasskey(ctx, signedIn.Session, id, record, "{}") // like a rename that read the record before the removal
		f.want("change a removed passkey", err, accounts.ErrUnknown)
	}
	if left, err := f.accounts.Passkeys(ctx, signedIn.User.ID); err != nil || len(left) != 0 {
		t.Errorf("got passkeys %v, %v, want none", left, err)
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

// A person who creates a passkey on the setup page becomes the first owner.
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
		t.Errorf("signed in as %+v, %v; want an owner", signedIn, err)
	}
}
