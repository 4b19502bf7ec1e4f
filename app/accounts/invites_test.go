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

func newInvite(t *testing.T, a *accounts.Accounts, by string, uses int, role accounts.Role) (id, code string) {
	t.Helper()
	id, code, err := a.CreateInvite(ctx, by, "", accounts.Invite{Role: role, Uses: uses, Expiry: time.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	return id, code
}

func TestInviteIsLimitedToItsUses(t *testing.T) {
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
			t.Errorf("Redeem returned the error %v, want %v or %v", err, accounts.ErrCode, accounts.ErrExists)
		}
	})
	if people, err := a.People(ctx, 0, 100); redeemed.Load() != 10 || len(people) != 10 || err != nil {
		t.Errorf("redeemed %d times, got %d people and the error %v; want 10 redemptions and 10 people", redeemed.Load(), len(people), err)
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
			t.Fatalf("got %+v, %v; want a moderator of the room pxyz, Repeated only after the first time", r, err)
		}
		if i == 0 {
			first = r
		} else if r.JoinKey != first.JoinKey || !r.At.Equal(first.At) {
			t.Errorf("repeated %+v, want %+v", r, first)
		}
	}
	if v, err := a.Verdict(ctx, bob.Session); v.Role != accounts.Member || err != nil {
		t.Errorf("after an invite to a room: got verdict %v, %v; want the role %s on the server", v, err, accounts.Member)
	}
	for range 10 { // fetched by previewers
		if invite, err := a.Invite(ctx, code); err != nil || invite.Uses != 2 {
			t.Fatalf("Invite returned %+v, %v; want 2 uses left", invite, err)
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
		"its creator was demoted": func(signedIn accounts.SignedIn, _ string) error {
			return a.SetRole(ctx, owner.User.ID, signedIn.User.ID, accounts.Member)
		},
		"its creator left": func(signedIn accounts.SignedIn, _ string) error { return a.Leave(ctx, signedIn.Session) },
		"its creator was banned": func(signedIn accounts.SignedIn, _ string) error {
			return a.Ban(ctx, owner.User.ID, signedIn.User.ID, "")
		},
		"its creator revoked it": func(signedIn accounts.SignedIn, id string) error { return revoke(a, signedIn, id) },
		"an owner revoked it":    func(_ accounts.SignedIn, id string) error { return revoke(a, owner, id) },
	}
	for name, end := range end {
		moderator := join(t, a, "Max", accounts.Moderator)
		id, code := newInvite(t, a, moderator.User.ID, 5, accounts.Member)
		_, err := a.Redeem(ctx, code, accounts.SignIn{User: newUser(t, "Friend")})
		wantError(t, "redeem", err, nil)
		wantError(t, name, end(moderator, id), nil)
		_, err = a.Redeem(ctx, code, accounts.SignIn{User: newUser(t, "Friend")})
		wantError(t, "redeem an invite after "+name, err, accounts.ErrCode)
	}
	id, _ := newInvite(t, a, owner.User.ID, 5, accounts.Member)
	wantError(t, "a stranger revokes", revoke(a, join(t, a, "Eve", accounts.Member), id), accounts.ErrNotAllowed)
}

// The clocks of two servers may be hours apart. An invite is valid for as long as its creator chose, by Redis's clock.
func TestInvitesOfServersWhoseClocksDiffer(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	offsets := map[string]time.Duration{"slow": -3 * time.Hour, "right": 0, "fast": 3 * time.Hour}
	servers := make(map[string]*accounts.Accounts)
	for name, offset := range offsets {
		servers[name] = open(t, server.Redis(), func(o *accounts.Options) { o.Now = func() time.Time { return time.Now().Add(offset) } })
	}
	owner := join(t, servers["right"], "Olga", accounts.Owner)
	for creator, a := range servers {
		wanted := accounts.Invite{Role: accounts.Member, Uses: 3, Expiry: time.Now().Add(offsets[creator] + time.Hour)}
		_, code, err := a.CreateInvite(ctx, owner.User.ID, "", wanted)
		wantError(t, "create on the "+creator+" server", err, nil)
		for reader, b := range servers {
			what := "the invite of the " + creator + " server on the " + reader + " one"
			invite, err := b.Invite(ctx, code)
			wantError(t, what, err, nil)
			if lifetime := time.Until(invite.Expiry); err == nil && (lifetime < 50*time.Minute || lifetime > 61*time.Minute) {
				t.Errorf("%s expires in %v, want an hour", what, lifetime)
			}
			if listed, err := b.Invites(ctx, owner.User.ID); err != nil || len(listed) == 0 {
				t.Errorf("%s: got %d invites in the list and the error %v, want at least one", what, len(listed), err)
			}
			_, err = b.Redeem(ctx, code, accounts.SignIn{User: newUser(t, "Ida")})
			wantError(t, "redeem "+what, err, nil)
		}
	}
}

func TestInviteExpires(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	a, now := open(t, server.Redis()), time.Now()
	id, code, err := a.CreateInvite(ctx, accounts.Operator, "", accounts.Invite{Role: accounts.Member, Uses: 1, Expiry: now.Add(time.Minute)})
	wantError(t, "invite", err, nil)
	client := server.Client()
	defer client.Close()
	client.HIncrBy(ctx, "{0}:invite:"+id, "expiry", -61)
	_, err = a.Redeem(ctx, code, accounts.SignIn{User: newUser(t, "Late")})
	wantError(t, "redeem", err, accounts.ErrCode)
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
		t.Errorf("got people %v, want none", people)
	}
}

func TestOperatorInviteCreatesAnOwner(t *testing.T) {
	t.Parallel()
	a := start(t)
	code, err := a.CreateOwnerInvite(ctx)
	wantError(t, "owner invite", err, nil)
	ada := join(t, a, "Ada", accounts.Member)
	_, err = a.RedeemAs(ctx, code, ada.Session)
	wantError(t, "redeem", err, nil)
	if v, err := a.Verdict(ctx, ada.Session); v.Role != accounts.Owner || err != nil {
		t.Errorf("got verdict %v, %v; want an owner", v, err)
	}
	join(t, a, "Bob", accounts.Owner)
	wantError(t, "demote", a.SetRole(ctx, accounts.Operator, ada.User.ID, accounts.Member), nil)
	_, err = a.RedeemAs(ctx, code, ada.Session)
	wantError(t, "repeat", err, nil)
	if v, err := a.Verdict(ctx, ada.Session); v.Role != accounts.Member || err != nil {
		t.Errorf("after the invite was redeemed again: got verdict %v, %v; want a member", v, err)
	}
}

func TestInvitesListsOnlyVisibleInvites(t *testing.T) {
	t.Parallel()
	a := start(t)
	ada, max := join(t, a, "Ada", accounts.Member), join(t, a, "Max", accounts.Moderator)
	roomInvite := accounts.Invite{Room: "psecret", Role: accounts.Member, Uses: 1, Expiry: time.Now().Add(time.Hour)}
	key := uuid.NewString()
	mine, code, err := a.CreateInvite(ctx, ada.User.ID, key, roomInvite)
	wantError(t, "invite", err, nil)
	again, sameCode, err := a.CreateInvite(ctx, ada.User.ID, key, roomInvite)
	if again != mine || sameCode != code || err != nil {
		t.Errorf("the same key created another invite; error %v", err)
	}
	server, _ := newInvite(t, a, max.User.ID, 1, accounts.Member)
	for user, want := range map[string]string{ada.User.ID: mine, max.User.ID: server} {
		seen, err := a.Invites(ctx, user)
		if err != nil || len(seen) != 1 || seen[0].ID != want {
			t.Errorf("got invites %+v, %v; want only %s", seen, err, want)
		}
	}
}
