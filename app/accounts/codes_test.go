package accounts_test

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"burble/app/accounts"
	"burble/app/identity"
	"burble/streams/redistest"

	"github.com/google/uuid"
)

func TestLinkIsSpentOnce(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	a, b := open(t, server.Redis()), open(t, server.Redis())
	ada := join(t, a, "Ada", accounts.Member)
	for range 20 {
		code, err := a.CreateLink(ctx, ada.User.ID, ada.User.ID)
		wantError(t, "link", err, nil)
		for range 3 { // a previewer
			account, err := b.PeekLink(ctx, code)
			if err != nil || account.User != ada.User {
				t.Fatalf("PeekLink returned %v, %v; want %v", account, err, ada.User)
			}
		}
		var spent atomic.Int32
		atOnce(10, func(i int) {
			signedIn, err := []*accounts.Accounts{a, b}[i%2].SpendLink(ctx, code, accounts.SignIn{})
			switch {
			case err == nil && signedIn.User == ada.User:
				spent.Add(1)
			case !errors.Is(err, accounts.ErrCode):
				t.Errorf("SpendLink returned the error %v, want %v", err, accounts.ErrCode)
			}
		})
		if spent.Load() != 1 {
			t.Fatalf("the link was spent %d times, want once", spent.Load())
		}
		_, err = a.PeekLink(ctx, code)
		wantError(t, "peek at a spent link", err, accounts.ErrCode)
	}
}

func TestSpentLinkWorksAgainOnlyWithSameKey(t *testing.T) {
	t.Parallel()
	a := start(t)
	ada := join(t, a, "Ada", accounts.Member)
	code, err := a.CreateLink(ctx, ada.User.ID, ada.User.ID)
	wantError(t, "link", err, nil)
	request := accounts.SignIn{Key: uuid.NewString()}
	first, err := a.SpendLink(ctx, code, request)
	wantError(t, "spend", err, nil)
	again, err := a.SpendLink(ctx, code, request)
	if err != nil || again.Session.ID != first.Session.ID {
		t.Errorf("SpendLink with the same key returned another session or the error %v", err)
	}
	for _, key := range []string{"", uuid.NewString()} {
		_, err = a.SpendLink(ctx, code, accounts.SignIn{Key: key})
		wantError(t, "replayed with another key", err, accounts.ErrCode)
	}
	wantError(t, "sign out", a.SignOut(ctx, ada.User.ID, ada.User.ID, first.Session.ID), nil)
	_, err = a.SpendLink(ctx, code, request)
	wantError(t, "repeated after the sign-out", err, accounts.ErrCode)
}

// A link must not outlive the right to create it.
func TestLinkDiesWithTheRightToCreateIt(t *testing.T) {
	t.Parallel()
	a := start(t)
	owner := join(t, a, "Olga", accounts.Owner)
	for name, end := range map[string]func(creator, person accounts.SignedIn) error{
		"was demoted": func(creator, _ accounts.SignedIn) error {
			return a.SetRole(ctx, owner.User.ID, creator.User.ID, accounts.Member)
		},
		"was banned": func(creator, _ accounts.SignedIn) error { return a.Ban(ctx, owner.User.ID, creator.User.ID, "") },
		"left":       func(creator, _ accounts.SignedIn) error { return a.Leave(ctx, creator.Session) },
		"was signed out": func(creator, _ accounts.SignedIn) error {
			return a.SignOut(ctx, owner.User.ID, creator.User.ID)
		},
		"may not act on an owner": func(_, person accounts.SignedIn) error {
			return a.SetRole(ctx, owner.User.ID, person.User.ID, accounts.Owner)
		},
	} {
		creator, person := join(t, a, "Max", accounts.Moderator), join(t, a, "Bob", accounts.Member)
		code, err := a.CreateLinkAs(ctx, creator.Session, person.User.ID)
		wantError(t, "link", err, nil)
		wantError(t, name, end(creator, person), nil)
		_, err = a.SpendLink(ctx, code, accounts.SignIn{})
		wantError(t, "link of a creator who "+name, err, accounts.ErrCode)
	}
}

func TestLinkDiesWithTheSessionThatCreatedIt(t *testing.T) {
	t.Parallel()
	a := start(t)
	ada := join(t, a, "Ada", accounts.Member)
	var codes []string
	for range 2 {
		code, err := a.CreateLinkAs(ctx, ada.Session, ada.User.ID)
		wantError(t, "link", err, nil)
		codes = append(codes, code)
	}
	other, err := a.SpendLink(ctx, codes[0], accounts.SignIn{})
	wantError(t, "spend", err, nil)
	wantError(t, "end other sessions", a.SignOutOthers(ctx, other.Session), nil)
	_, err = a.SpendLink(ctx, codes[1], accounts.SignIn{})
	wantError(t, "link of a session that has ended", err, accounts.ErrCode)
}

func TestLinkExpires(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	a := open(t, server.Redis())
	ada := join(t, a, "Ada", accounts.Member)
	code, err := a.CreateLink(ctx, ada.User.ID, ada.User.ID)
	wantError(t, "link", err, nil)
	client := server.Client()
	defer client.Close()
	key := client.Keys(ctx, "*link*").Val()[0]
	if left := client.PTTL(ctx, key).Val(); left <= 9*time.Minute || left > accounts.LinkLifetime {
		t.Errorf("the link expires in %v, want between 9 minutes and %v", left, accounts.LinkLifetime)
	}
	client.Del(ctx, key)
	_, err = a.SpendLink(ctx, code, accounts.SignIn{})
	wantError(t, "spend", err, accounts.ErrCode)
	for _, code := range []string{"", "x", strings.Repeat("x", 10000), "a\x00b", "*"} {
		_, err = a.SpendLink(ctx, code, accounts.SignIn{})
		wantError(t, "spend a wrong code", err, accounts.ErrCode)
	}
}

func TestSetupMakesOneOwner(t *testing.T) {
	t.Parallel()
	for range 10 {
		server := redistest.Start(t)
		all := []*accounts.Accounts{open(t, server.Redis()), open(t, server.Redis())}
		codes := make([]string, 8)
		atOnce(len(codes), func(i int) { codes[i], _ = all[i%2].SetupCode(ctx) })
		for _, code := range codes {
			if code == "" || code != codes[0] {
				t.Fatalf("got the setup codes %q, want the same code from all servers", codes)
			}
		}
		var owners atomic.Int32
		atOnce(8, func(i int) {
			signedIn, err := all[i%2].Redeem(ctx, codes[0], accounts.SignIn{User: identity.User{Name: "First"}})
			switch {
			case err == nil && signedIn.Role == accounts.Owner:
				owners.Add(1)
			case !errors.Is(err, accounts.ErrCode):
				t.Errorf("Redeem returned the error %v, want %v", err, accounts.ErrCode)
			}
		})
		people, err := all[0].People(ctx, 0, 10)
		if owners.Load() != 1 || len(people) != 1 || err != nil {
			t.Errorf("got %d owners, %d people and the error %v; want one owner and one person", owners.Load(), len(people), err)
		}
		if code, err := all[0].SetupCode(ctx); code != "" || err != nil {
			t.Errorf("SetupCode returned %q, %v; want no code", code, err)
		}
		_, err = all[0].Invite(ctx, codes[0])
		wantError(t, "look at the setup code", err, accounts.ErrCode)
	}
}

// Someone may have become an owner in another way.
func TestSetupEndsWhenThereIsAnOwner(t *testing.T) {
	t.Parallel()
	a := start(t)
	code, err := a.SetupCode(ctx)
	wantError(t, "setup", err, nil)
	join(t, a, "Olga", accounts.Owner)
	_, err = a.Redeem(ctx, code, accounts.SignIn{User: identity.User{Name: "Mallory"}})
	wantError(t, "use the setup code", err, accounts.ErrCode)
}

func TestCeremonyIsTakenOnceAndOnlyForItsKind(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	a, b := open(t, server.Redis()), open(t, server.Redis())
	code, err := a.StartCeremony(ctx, "get", "state")
	wantError(t, "start", err, nil)
	wantError(t, "another kind", a.TakeCeremony(ctx, "create", code, new(string)), accounts.ErrRefused)
	var taken atomic.Int32
	atOnce(10, func(i int) {
		var state string
		if err := []*accounts.Accounts{a, b}[i%2].TakeCeremony(ctx, "get", code, &state); err == nil && state == "state" {
			taken.Add(1)
		}
	})
	if taken.Load() != 1 {
		t.Errorf("the ceremony was taken %d times, want once", taken.Load())
	}
	client := server.Client()
	defer client.Close()
	_, err = a.StartCeremony(ctx, "get", "state")
	wantError(t, "start", err, nil)
	if left := client.TTL(ctx, client.Keys(ctx, "*ceremony*").Val()[0]).Val(); left <= 0 || left > accounts.CeremonyLifetime {
		t.Errorf("the ceremony expires in %v, want at most %v", left, accounts.CeremonyLifetime)
	}
}

// A passkey may be removed between the verification and the sign-in.
func TestRemovedPasskeyIsNotStoredAgain(t *testing.T) {
	t.Parallel()
	a := start(t)
	ada := join(t, a, "Ada", accounts.Member)
	_, err := a.SignInWithPasskey(ctx, &accounts.Passkey{User: ada.User, ID: "gone", Record: "{}"}, "code", accounts.SignIn{})
	wantError(t, "sign in", err, accounts.ErrRefused)
	if all, err := a.Passkeys(ctx, ada.User.ID); len(all) > 0 || err != nil {
		t.Errorf("Passkeys returned %v, %v; want none", all, err)
	}
	for i := range 25 {
		err := a.AddPasskey(ctx, ada.Session, &accounts.Passkey{User: ada.User, ID: string(rune('a' + i)), Record: "{}"})
		if want := i < 20; want != (err == nil) {
			t.Errorf("AddPasskey number %d returned %v, want only the first 20 to succeed", i, err)
		}
	}
}

func TestIdentityHasOneAccount(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	all := []*accounts.Accounts{open(t, server.Redis()), open(t, server.Redis())}
	who := accounts.Identity{Issuer: "https://issuer.example", Subject: "1"}
	users := make([]string, 10)
	atOnce(len(users), func(i int) {
		signedIn, err := all[i%2].SignInWithIdentity(ctx, who, uuid.NewString(), accounts.SignIn{User: identity.User{Name: "Ida"}})
		wantError(t, "sign in", err, nil)
		users[i] = signedIn.User.ID
	})
	for _, user := range users {
		if user != users[0] {
			t.Fatalf("one identity got the accounts %v, want a single one", users)
		}
	}
	// After the account has been removed, a sign-in with the identity creates a new one.
	signedIn, err := all[0].SignInWithIdentity(ctx, who, "", accounts.SignIn{User: identity.User{Name: "Ida"}})
	wantError(t, "sign in", err, nil)
	wantError(t, "leave", all[0].Leave(ctx, signedIn.Session), nil)
	again, err := all[0].SignInWithIdentity(ctx, who, "", accounts.SignIn{User: identity.User{Name: "Ida"}})
	if err != nil || again.User.ID == signedIn.User.ID {
		t.Errorf("signed in as %v, %v; want a new user", again.User, err)
	}
}

// Two clients with the same predictable key must not get each other's account.
func TestKeyMustBeAUUID(t *testing.T) {
	t.Parallel()
	a := start(t)
	_, code := newInvite(t, a, accounts.Operator, 5, accounts.Member)
	for range 3 {
		signedIn, err := a.Redeem(ctx, code, accounts.SignIn{User: identity.User{Name: "Same"}, Key: "1"})
		wantError(t, "redeem", err, nil)
		if signedIn.Repeated {
			t.Error("two requests with the same key that is not a UUID returned the same account")
		}
	}
	if people, err := a.People(ctx, 0, 10); len(people) != 3 || err != nil {
		t.Errorf("got %d people and the error %v, want three people", len(people), err)
	}
}
