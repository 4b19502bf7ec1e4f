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
			account, err := b.Peek(ctx, code)
			if err != nil || account.User != ada.User {
				t.Fatalf("peek: %v, %v", account, err)
			}
		}
		var spent atomic.Int32
		atOnce(10, func(i int) {
			signedIn, err := []*accounts.Accounts{a, b}[i%2].Spend(ctx, code, accounts.SignIn{})
			switch {
			case err == nil && signedIn.User == ada.User:
				spent.Add(1)
			case !errors.Is(err, accounts.ErrCode):
				t.Errorf("spend: %v", err)
			}
		})
		if spent.Load() != 1 {
			t.Fatalf("spent %d times", spent.Load())
		}
		_, err = a.Peek(ctx, code)
		wantError(t, "peek at a spent link", err, accounts.ErrCode)
	}
}

func TestLinkIsRepeatedWithItsKeyOnly(t *testing.T) {
	t.Parallel()
	a := start(t)
	ada := join(t, a, "Ada", accounts.Member)
	code, err := a.CreateLink(ctx, ada.User.ID, ada.User.ID)
	wantError(t, "link", err, nil)
	request := accounts.SignIn{Key: uuid.NewString()}
	first, err := a.Spend(ctx, code, request)
	wantError(t, "spend", err, nil)
	again, err := a.Spend(ctx, code, request)
	if err != nil || again.Session.ID != first.Session.ID {
		t.Errorf("repeated with the key: %v", err)
	}
	for _, key := range []string{"", uuid.NewString()} {
		_, err = a.Spend(ctx, code, accounts.SignIn{Key: key})
		wantError(t, "replayed with another key", err, accounts.ErrCode)
	}
	wantError(t, "sign out", a.SignOut(ctx, ada.User.ID, ada.User.ID, first.Session.ID), nil)
	_, err = a.Spend(ctx, code, request)
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
		_, err = a.Spend(ctx, code, accounts.SignIn{})
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
	other, err := a.Spend(ctx, codes[0], accounts.SignIn{})
	wantError(t, "spend", err, nil)
	wantError(t, "end other sessions", a.SignOutOthers(ctx, other.Session), nil)
	_, err = a.Spend(ctx, codes[1], accounts.SignIn{})
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
	if left := client.PTTL(ctx, key).Val(); left <= 9*time.Minute || left > accounts.LinkLife {
		t.Errorf("expires in %v", left)
	}
	client.Del(ctx, key)
	_, err = a.Spend(ctx, code, accounts.SignIn{})
	wantError(t, "spend", err, accounts.ErrCode)
	for _, code := range []string{"", "x", strings.Repeat("x", 10000), "a\x00b", "*"} {
		_, err = a.Spend(ctx, code, accounts.SignIn{})
		wantError(t, "spend a wrong code", err, accounts.ErrCode)
	}
}

func newInvite(t *testing.T, a *accounts.Accounts, by string, uses int, role accounts.Role) (id, code string) {
	t.Helper()
	id, code, err := a.CreateInvite(ctx, by, "", accounts.Invite{Role: role, Uses: uses, Expiry: time.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	return id, code
}

func TestInviteHasItsUses(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	a, b := open(t, server.Redis()), open(t, server.Redis())
	_, code := newInvite(t, a, accounts.Operator, 10, accounts.Member)
	guests := make([]identity.User, 30)
	for i := range guests {
		guests[i] = newUser(t, "Guest")
	}
	var redeemed atomic.Int32
	atOnce(60, func(i int) { // each guest twice, with different keys
		_, err := []*accounts.Accounts{a, b}[i%2].Redeem(ctx, code, accounts.SignIn{User: guests[i/2]})
		switch {
		case err == nil:
			redeemed.Add(1)
		case !errors.Is(err, accounts.ErrCode) && !errors.Is(err, accounts.ErrExists):
			t.Errorf("redeem: %v", err)
		}
	})
	if people, err := a.People(ctx, 0, 100); redeemed.Load() != 10 || len(people) != 10 || err != nil {
		t.Errorf("redeemed %d times, %d people, %v", redeemed.Load(), len(people), err)
	}
	_, err := a.Invite(ctx, code)
	wantError(t, "look at a used invite", err, accounts.ErrCode)
}

func TestInviteIsRedeemedOncePerPerson(t *testing.T) {
	t.Parallel()
	a := start(t)
	ada := join(t, a, "Ada", accounts.Member)
	_, code, err := a.CreateInvite(ctx, ada.User.ID, "", accounts.Invite{Room: "pxyz", Role: accounts.Moderator, Uses: 3, Expiry: time.Now().Add(time.Hour)})
	wantError(t, "invite", err, nil)
	bob := join(t, a, "Bob", accounts.Member)
	var first accounts.Redeemed
	for i := range 5 {
		r, err := a.RedeemAs(ctx, code, bob.Session)
		if err != nil || r.Repeated != (i > 0) || r.Room != "pxyz" || r.Role != accounts.Moderator || uuid.Validate(r.JoinKey) != nil {
			t.Fatalf("redeemed %+v, %v", r, err)
		}
		if i == 0 {
			first = r
		} else if r.JoinKey != first.JoinKey || !r.At.Equal(first.At) {
			t.Errorf("repeated %+v, want %+v", r, first)
		}
	}
	if v, err := a.Verdict(ctx, bob.Session); v.Role != accounts.Member || err != nil {
		t.Errorf("an invite to a room made %v, %v", v, err)
	}
	for range 10 { // fetched by previewers
		if invite, err := a.Invite(ctx, code); err != nil || invite.Uses != 2 {
			t.Fatalf("%+v, %v", invite, err)
		}
	}
	wantError(t, "sign out", a.SignOut(ctx, bob.User.ID, bob.User.ID), nil)
	_, err = a.RedeemAs(ctx, code, bob.Session)
	wantError(t, "redeem when signed out", err, accounts.ErrSignedOut)
}

func revoke(a *accounts.Accounts, by accounts.SignedIn, id string) error {
	_, err := a.Revoke(ctx, by.User.ID, id)
	return err
}

func TestInviteDiesWithTheRightToInvite(t *testing.T) {
	t.Parallel()
	a := start(t)
	owner := join(t, a, "Olga", accounts.Owner)
	end := map[string]func(signedIn accounts.SignedIn, id string) error{
		"demoted": func(signedIn accounts.SignedIn, _ string) error {
			return a.SetRole(ctx, owner.User.ID, signedIn.User.ID, accounts.Member)
		},
		"left": func(signedIn accounts.SignedIn, _ string) error { return a.Leave(ctx, signedIn.Session) },
		"banned": func(signedIn accounts.SignedIn, _ string) error {
			return a.Ban(ctx, owner.User.ID, signedIn.User.ID, "")
		},
		"revoked by its creator": func(signedIn accounts.SignedIn, id string) error { return revoke(a, signedIn, id) },
		"revoked by an owner":    func(_ accounts.SignedIn, id string) error { return revoke(a, owner, id) },
	}
	for name, end := range end {
		moderator := join(t, a, "Max", accounts.Moderator)
		id, code := newInvite(t, a, moderator.User.ID, 5, accounts.Member)
		_, err := a.Redeem(ctx, code, accounts.SignIn{User: newUser(t, "Friend")})
		wantError(t, "redeem", err, nil)
		wantError(t, name, end(moderator, id), nil)
		_, err = a.Redeem(ctx, code, accounts.SignIn{User: newUser(t, "Friend")})
		wantError(t, "invite of a creator who was "+name, err, accounts.ErrCode)
	}
	id, _ := newInvite(t, a, owner.User.ID, 5, accounts.Member)
	wantError(t, "a stranger revokes", revoke(a, join(t, a, "Eve", accounts.Member), id), accounts.ErrNotAllowed)
}

func TestInviteExpires(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	now := time.Now().Add(-time.Hour) // the servers' clock lags behind that of Redis
	a := open(t, server.Redis(), func(o *accounts.Options) { o.Now = func() time.Time { return now } })
	_, code, err := a.CreateInvite(ctx, accounts.Operator, "", accounts.Invite{Role: accounts.Member, Uses: 1, Expiry: now.Add(time.Minute)})
	wantError(t, "invite", err, nil)
	_, err = a.Redeem(ctx, code, accounts.SignIn{User: newUser(t, "Late")})
	wantError(t, "redeem", err, accounts.ErrCode)
	now = now.Add(time.Hour)
	_, err = a.Invite(ctx, code)
	wantError(t, "look", err, accounts.ErrCode)
	for _, wrong := range []accounts.Invite{
		{Role: accounts.Member, Uses: 0, Expiry: now.Add(time.Hour)}, {Role: accounts.Member, Uses: 1, Expiry: now},
		{Role: accounts.Member, Uses: 1, Expiry: now.Add(1000 * 24 * time.Hour)}, {Uses: 1, Expiry: now.Add(time.Hour)},
		{Room: "x", Role: accounts.Owner, Uses: 1, Expiry: now.Add(time.Hour)}, {Role: accounts.Member, Uses: 1001, Expiry: now.Add(time.Hour)},
	} {
		_, _, err := a.CreateInvite(ctx, accounts.Operator, "", wrong)
		wantError(t, "a wrong invite", err, accounts.ErrNotAllowed)
	}
}

func TestInviteCannotBeForged(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	a := open(t, server.Redis())
	other := open(t, server.Redis(), func(o *accounts.Options) { o.Secret = []byte("another secret of 32 characters!") })
	id, code := newInvite(t, a, accounts.Operator, 1000, accounts.Owner)
	forged := []string{"", ".", id, id + ".", "." + code, code + "A", strings.ToLower(code), id + "." + id}
	for i := range len(code) {
		for _, c := range []byte("A.-0z") {
			if code[i] != c {
				forged = append(forged, code[:i]+string(c)+code[i+1:])
			}
		}
	}
	for _, code := range forged {
		_, err := a.Redeem(ctx, code, accounts.SignIn{User: identity.User{Name: "Mallory"}})
		wantError(t, "redeem "+code, err, accounts.ErrCode)
	}
	_, err := other.Invite(ctx, code)
	wantError(t, "with another secret", err, accounts.ErrCode)
	if people, _ := a.People(ctx, 0, 10); len(people) > 0 {
		t.Errorf("people: %v", people)
	}
}

func TestInviteOfTheOperatorMakesAnOwner(t *testing.T) {
	t.Parallel()
	a := start(t)
	code, err := a.CreateOwnerInvite(ctx)
	wantError(t, "owner invite", err, nil)
	ada := join(t, a, "Ada", accounts.Member)
	_, err = a.RedeemAs(ctx, code, ada.Session)
	wantError(t, "redeem", err, nil)
	if v, err := a.Verdict(ctx, ada.Session); v.Role != accounts.Owner || err != nil {
		t.Errorf("%v, %v", v, err)
	}
	join(t, a, "Bob", accounts.Owner)
	wantError(t, "demote", a.SetRole(ctx, accounts.Operator, ada.User.ID, accounts.Member), nil)
	_, err = a.RedeemAs(ctx, code, ada.Session)
	wantError(t, "repeat", err, nil)
	if v, err := a.Verdict(ctx, ada.Session); v.Role != accounts.Member || err != nil {
		t.Errorf("after a repetition %v, %v", v, err)
	}
}

func TestInvitesThatAPersonMaySee(t *testing.T) {
	t.Parallel()
	a := start(t)
	ada, max := join(t, a, "Ada", accounts.Member), join(t, a, "Max", accounts.Moderator)
	rooms := accounts.Invite{Room: "psecret", Role: accounts.Member, Uses: 1, Expiry: time.Now().Add(time.Hour)}
	key := uuid.NewString()
	mine, code, err := a.CreateInvite(ctx, ada.User.ID, key, rooms)
	wantError(t, "invite", err, nil)
	again, sameCode, err := a.CreateInvite(ctx, ada.User.ID, key, rooms)
	if again != mine || sameCode != code || err != nil {
		t.Errorf("the same key made another invite, %v", err)
	}
	server, _ := newInvite(t, a, max.User.ID, 1, accounts.Member)
	for user, want := range map[string]string{ada.User.ID: mine, max.User.ID: server} {
		seen, err := a.Invites(ctx, user)
		if err != nil || len(seen) != 1 || seen[0].ID != want {
			t.Errorf("sees %+v, %v", seen, err)
		}
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
				t.Fatalf("codes %q", codes)
			}
		}
		var owners atomic.Int32
		atOnce(8, func(i int) {
			signedIn, err := all[i%2].Redeem(ctx, codes[0], accounts.SignIn{User: identity.User{Name: "First"}})
			switch {
			case err == nil && signedIn.Role == accounts.Owner:
				owners.Add(1)
			case !errors.Is(err, accounts.ErrCode):
				t.Errorf("setup: %v", err)
			}
		})
		people, err := all[0].People(ctx, 0, 10)
		if owners.Load() != 1 || len(people) != 1 || err != nil {
			t.Errorf("%d owners, %d people, %v", owners.Load(), len(people), err)
		}
		if code, err := all[0].SetupCode(ctx); code != "" || err != nil {
			t.Errorf("there is still a setup code, %v", err)
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

func TestCeremonyIsTakenOnceByItsKind(t *testing.T) {
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
		t.Errorf("taken %d times", taken.Load())
	}
	client := server.Client()
	defer client.Close()
	_, err = a.StartCeremony(ctx, "get", "state")
	wantError(t, "start", err, nil)
	if left := client.TTL(ctx, client.Keys(ctx, "*ceremony*").Val()[0]).Val(); left <= 0 || left > accounts.CeremonyLife {
		t.Errorf("expires in %v", left)
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
		t.Errorf("passkeys %v, %v", all, err)
	}
	for i := range 25 {
		err := a.AddPasskey(ctx, ada.Session, &accounts.Passkey{User: ada.User, ID: string(rune('a' + i)), Record: "{}"})
		if want := i < 20; want != (err == nil) {
			t.Errorf("passkey %d: %v", i, err)
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
			t.Fatalf("one identity has the accounts %v", users)
		}
	}
	// After the account is gone, the identity makes a new one.
	signedIn, err := all[0].SignInWithIdentity(ctx, who, "", accounts.SignIn{User: identity.User{Name: "Ida"}})
	wantError(t, "sign in", err, nil)
	wantError(t, "leave", all[0].Leave(ctx, signedIn.Session), nil)
	again, err := all[0].SignInWithIdentity(ctx, who, "", accounts.SignIn{User: identity.User{Name: "Ida"}})
	if err != nil || again.User.ID == signedIn.User.ID {
		t.Errorf("signed in as %v, %v", again.User, err)
	}
}

// Two clients with the same predictable key must not get each other's account.
func TestOnlyAUUIDIsAKey(t *testing.T) {
	t.Parallel()
	a := start(t)
	_, code := newInvite(t, a, accounts.Operator, 5, accounts.Member)
	for range 3 {
		signedIn, err := a.Redeem(ctx, code, accounts.SignIn{User: identity.User{Name: "Same"}, Key: "1"})
		wantError(t, "redeem", err, nil)
		if signedIn.Repeated {
			t.Error("a key that is not a UUID signed in as another user")
		}
	}
	if people, err := a.People(ctx, 0, 10); len(people) != 3 || err != nil {
		t.Errorf("%d people, %v", len(people), err)
	}
}
