package accounts_test

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"burble/app/accounts"
	"burble/app/identity"
	"burble/streams/redistest"
)

// TestAllFlows goes through every flow on each kind of Redis that Burble supports.
func TestAllFlows(t *testing.T) {
	t.Parallel()
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		if backend.Real {
			restrict(t, &backend)
		}
		a := open(t, backend.Redis, func(o *accounts.Options) { o.Prefix = "chat:" })
		code, err := a.SetupCode(ctx)
		wantError(t, "setup", err, nil)
		owner, err := a.Redeem(ctx, code, accounts.SignIn{User: identity.User{Name: "Olga"}, Device: "Firefox"})
		wantError(t, "redeem the setup code", err, nil)
		if owner.Role != accounts.Owner || owner.User.Name != "Olga" {
			t.Fatalf("got the first owner %+v, want the owner Olga", owner)
		}
		_, code, err = a.CreateInvite(ctx, owner.User.ID, "", accounts.Invite{Room: "lobby", Role: accounts.Member, Uses: 2, Expiry: time.Now().Add(time.Hour)})
		wantError(t, "invite", err, nil)
		bob, err := a.Redeem(ctx, code, accounts.SignIn{User: newUser(t, "Bob")})
		wantError(t, "redeem", err, nil)
		again, err := a.RedeemAs(ctx, code, owner.Session)
		wantError(t, "redeem as the owner", err, nil)
		if bob.Room != "lobby" || bob.Role != accounts.Member || bob.By != owner.User.ID || again.Token != "" || again.Role != accounts.Member {
			t.Errorf("Redeem returned %+v and RedeemAs %+v, want Bob invited to the lobby, and no new token", bob, again)
		}
		link, err := a.CreateLink(ctx, owner.User.ID, bob.User.ID)
		wantError(t, "link", err, nil)
		phone, err := a.SpendLink(ctx, link, accounts.SignIn{Device: "Phone"})
		wantError(t, "spend", err, nil)
		sessions, err := a.Sessions(ctx, bob.User.ID)
		if len(sessions) != 2 || err != nil {
			t.Errorf("got %d sessions and the error %v, want two sessions", len(sessions), err)
		}
		wantError(t, "mark as used", a.RecordUse(ctx, phone.Session), nil)
		name, err := a.Rename(ctx, phone.Session, " Robert ")
		wantError(t, "rename", err, nil)
		people, err := a.People(ctx, 0, 10)
		if err != nil || len(people) != 2 || people[0].Role != accounts.Owner || people[1].Name != name || time.Since(people[1].Created) > time.Hour {
			t.Errorf("People returned %+v, %v; want the owner and Robert", people, err)
		}
		wantError(t, "add a passkey", a.AddPasskey(ctx, phone.Session, &accounts.Passkey{User: bob.User, ID: "k", Record: "{}"}), nil)
		wantError(t, "make Bob an owner", a.SetRole(ctx, owner.User.ID, bob.User.ID, accounts.Owner), nil)
		v, err := a.Verdict(ctx, phone.Session)
		if err != nil || v.Role != accounts.Owner || v.User != (identity.User{ID: bob.User.ID, Name: "Robert"}) {
			t.Errorf("Verdict returned %+v, %v; want the owner Robert", v, err)
		}
		_, err = a.StartCeremony(ctx, "get", "")
		wantError(t, "ceremony", err, nil)
		wantError(t, "mark a token as used", a.MarkUsed(ctx, "logout", "x", time.Hour), nil)
		_, err = a.SignInWithIdentity(ctx, accounts.Identity{Issuer: "i", Subject: "s", SID: "sid"}, "code", accounts.SignIn{User: identity.User{Name: "Ida"}})
		wantError(t, "identity", err, nil)
		_, err = a.CreateLink(ctx, accounts.Operator, bob.User.ID)
		wantError(t, "link", err, nil)
		wantError(t, "leave", a.Leave(ctx, owner.Session), nil)
		wantVerdict(t, a, owner.SignedIn, accounts.ErrSignedOut)
		wantError(t, "sign out others", a.SignOutOthers(ctx, phone.Session), nil)
		wantVerdict(t, a, bob.SignedIn, accounts.ErrSignedOut)
		banAndUnban(t, a, bob.User.ID)
		for _, key := range backend.Keys(t) {
			if !isDocumented(t, strings.TrimPrefix(key, "chat:")) {
				t.Errorf("the README does not list the key %q", key)
			}
		}
	})
}

// banAndUnban bans a guest on behalf of an owner, and lifts the ban.
func banAndUnban(t *testing.T, a *accounts.Accounts, owner string) {
	t.Helper()
	guest := newUser(t, "Spam")
	wantError(t, "ban", a.Ban(ctx, owner, guest.ID, "spam"), nil)
	wantError(t, "guest", a.Guest(ctx, guest.ID), accounts.ErrBanned)
	wantError(t, "restored", a.Restored(ctx, "0-0"), nil)
	wantError(t, "guest", a.Guest(ctx, guest.ID), accounts.ErrBanned)
	if bans, err := a.Bans(ctx); err != nil || len(bans) != 1 || bans[0].User != guest.ID || bans[0].By != owner || bans[0].Reason != "spam" {
		t.Errorf("Bans returned %+v, %v; want the guest's ban", bans, err)
	}
	wantError(t, "unban", a.Unban(ctx, owner, guest.ID), nil)
	wantError(t, "guest", a.Guest(ctx, guest.ID), nil)
}

// restrict gives a backend only the rights that the documentation of streams lists, and fails the test if
// Redis denies a command.
func restrict(t *testing.T, backend *redistest.Backend) {
	t.Helper()
	backend.DoOnEach(t, append([]any{"ACL", "SETUSER", "burble", "reset"}, leastRights(t, backend.Redis.IsClusterMode)...)...)
	least := *backend.Redis
	least.Username, least.Password = "burble", "secret"
	backend.Redis = &least
	t.Cleanup(func() {
		for _, denied := range backend.Denied(t) {
			t.Errorf("Redis denied %v", denied)
		}
		backend.DoOnEach(t, "ACL", "DELUSER", "burble")
	})
}

// isDocumented reports whether the README lists the key.
func isDocumented(t *testing.T, key string) bool {
	t.Helper()
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	placeholder := regexp.MustCompile("<[^>]*>")
	for _, row := range regexp.MustCompile("(?m)^\\| `(\\{0\\}:[^`]*)`").FindAllStringSubmatch(string(readme), -1) {
		pattern := placeholder.ReplaceAllString(strings.NewReplacer("{", "\\{", "}", "\\}").Replace(row[1]), "[^:]+")
		if regexp.MustCompile("^" + pattern + "$").MatchString(key) {
			return true
		}
	}
	return false
}

// leastRights returns the ACL rules that the README of streams lists, for the prefix "chat:".
func leastRights(t *testing.T, isCluster bool) (rights []any) {
	t.Helper()
	readme, err := os.ReadFile("../../streams/README.md")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(readme)) {
		given, found := strings.CutPrefix(line, "ACL SETUSER burble ")
		given, when, _ := strings.Cut(given, "#")
		if found && (when == "" || isCluster && strings.Contains(when, "Cluster")) {
			for _, right := range strings.Fields(given) {
				rights = append(rights, strings.Replace(right, "~{", "~chat:{", 1))
			}
		}
	}
	return rights
}

func TestUpgradedGuestKeepsTheUserIDAndIsNoLongerAGuest(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	here, elsewhere := open(t, server.Redis()), open(t, server.Redis())
	follow(t, elsewhere, server.Redis())
	guest := newUser(t, "Ada")
	tab := newRecorder()
	wantError(t, "subscribe", elsewhere.SubscribeGuest(ctx, guest.ID, tab), nil)
	signedIn, err := here.Upgrade(ctx, accounts.SignIn{User: guest})
	if err != nil || signedIn.User != guest {
		t.Fatalf("Upgrade returned %v, %v; want %v", signedIn.User, err, guest)
	}
	if e := tab.next(t); e.err != accounts.ErrUpgraded {
		t.Errorf("the guest's tab on another server was notified of %v, want %v", e.err, accounts.ErrUpgraded)
	}
	for _, a := range []*accounts.Accounts{here, elsewhere} {
		wantError(t, "guest", a.Guest(ctx, guest.ID), accounts.ErrUpgraded)
		wantVerdict(t, a, signedIn, nil)
		_, err = a.Upgrade(ctx, accounts.SignIn{User: guest})
		wantError(t, "upgrade twice", err, accounts.ErrExists)
	}
	wantError(t, "leave", here.Leave(ctx, signedIn.Session), nil)
	wantError(t, "guest after leaving", here.Guest(ctx, guest.ID), accounts.ErrUpgraded)
	_, err = here.Upgrade(ctx, accounts.SignIn{User: guest})
	wantError(t, "upgrade after leaving", err, accounts.ErrExists)
}

func TestSignOut(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	a := open(t, server.Redis())
	follow(t, a, server.Redis())
	signedIn := join(t, a, "Ada", accounts.Member)
	more := func() accounts.SignedIn {
		link, err := a.CreateLink(ctx, signedIn.User.ID, signedIn.User.ID)
		if err != nil {
			t.Fatal(err)
		}
		more, err := a.SpendLink(ctx, link, accounts.SignIn{})
		if err != nil {
			t.Fatal(err)
		}
		return more
	}
	two, three := more(), more()
	socket, other := newRecorder(), newRecorder()
	for session, r := range map[accounts.Session]recorder{two.Session: socket, three.Session: other} {
		if _, err := a.Subscribe(ctx, session, r); err != nil {
			t.Fatal(err)
		}
	}
	wantError(t, "sign out one", a.SignOut(ctx, signedIn.User.ID, signedIn.User.ID, ids(two)...), nil)
	if e := socket.next(t); e.err != accounts.ErrSignedOut {
		t.Errorf("the socket was notified of %v, want %v", e.err, accounts.ErrSignedOut)
	}
	wantVerdict(t, a, two, accounts.ErrSignedOut)
	wantVerdict(t, a, three, nil)
	wantError(t, "sign out others", a.SignOutOthers(ctx, signedIn.Session), nil)
	if e := other.next(t); e.err != accounts.ErrSignedOut {
		t.Errorf("the other socket was notified of %v, want %v", e.err, accounts.ErrSignedOut)
	}
	wantVerdict(t, a, three, accounts.ErrSignedOut)
	wantVerdict(t, a, signedIn, nil)
	wantError(t, "sign out all", a.SignOut(ctx, signedIn.User.ID, signedIn.User.ID), nil)
	eventually(t, "the sign-out", func() bool { _, err := a.Verdict(ctx, signedIn.Session); return errors.Is(err, accounts.ErrSignedOut) })
}

func TestBanEndsSessionsAndRefusesEverySignIn(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	a := open(t, server.Redis())
	follow(t, a, server.Redis())
	owner, ada := join(t, a, "Olga", accounts.Owner), join(t, a, "Ada", accounts.Member)
	link, err := a.CreateLink(ctx, ada.User.ID, ada.User.ID)
	wantError(t, "link", err, nil)
	_, invite, err := a.CreateInvite(ctx, ada.User.ID, "", accounts.Invite{Room: "x", Role: accounts.Member, Uses: 5, Expiry: time.Now().Add(time.Hour)})
	wantError(t, "invite", err, nil)
	socket := newRecorder()
	if _, err := a.Subscribe(ctx, ada.Session, socket); err != nil {
		t.Fatal(err)
	}
	wantError(t, "ban", a.Ban(ctx, owner.User.ID, ada.User.ID, "spam"), nil)
	if e := socket.next(t); e.err != accounts.ErrBanned {
		t.Errorf("the socket was notified of %v, want %v", e.err, accounts.ErrBanned)
	}
	wantVerdict(t, a, ada, accounts.ErrBanned)
	wantError(t, "guest", a.Guest(ctx, ada.User.ID), accounts.ErrBanned)
	_, err = a.SpendLink(ctx, link, accounts.SignIn{})
	wantError(t, "link", err, accounts.ErrBanned)
	_, err = a.RedeemAs(ctx, invite, ada.Session)
	wantError(t, "own invite", err, accounts.ErrCode)
	_, err = a.Redeem(ctx, invite, accounts.SignIn{User: newUser(t, "Friend")})
	wantError(t, "invite of a banned person", err, accounts.ErrCode)
	_, err = a.SignInWithPasskey(ctx, &accounts.Passkey{User: ada.User}, "", accounts.SignIn{})
	wantError(t, "passkey", err, accounts.ErrBanned)
	_, err = a.CreateLink(ctx, owner.User.ID, ada.User.ID)
	wantError(t, "new link", err, accounts.ErrBanned)
	wantError(t, "unban", a.Unban(ctx, owner.User.ID, ada.User.ID), nil)
	wantVerdict(t, a, ada, accounts.ErrSignedOut) // the ban ended the session for good
	_, err = a.SpendLink(ctx, link, accounts.SignIn{})
	wantError(t, "link after the ban", err, nil)
}

func TestSessionsAreBounded(t *testing.T) {
	t.Parallel()
	a := start(t)
	first := join(t, a, "Ada", accounts.Member)
	for range 55 {
		link, err := a.CreateLink(ctx, first.User.ID, first.User.ID)
		if err == nil {
			_, err = a.SpendLink(ctx, link, accounts.SignIn{Device: fmt.Sprint("a very long device ", longText)})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	sessions, err := a.Sessions(ctx, first.User.ID)
	if err != nil || len(sessions) != 50 || len(sessions[0].Device) > 100 {
		t.Errorf("got %d sessions, device %q and the error %v; want 50 sessions and a shortened device", len(sessions), sessions[0].Device, err)
	}
}

const longText = "ääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääää"
