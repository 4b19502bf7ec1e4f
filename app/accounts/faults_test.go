package accounts_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"burble/app/accounts"
	"burble/app/identity"
	"burble/streams/conns"
	"burble/streams/redistest"

	"github.com/google/uuid"
)

// retry repeats a call until its outcome is known, as a client does.
func retry(t *testing.T, what string, call func() error) {
	t.Helper()
	for range 200 {
		err := call()
		if err == nil {
			return
		}
		if !errors.Is(err, accounts.ErrUnavailable) {
			t.Fatalf("%s: %v, want %v", what, err, accounts.ErrUnavailable)
		}
	}
	t.Fatalf("%s: every retry failed", what)
}

// TestLostReplies loses almost a third of the replies of Redis. Each call is repeated with its key, and must
// take effect exactly once.
func TestLostReplies(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	server := redistest.Start(t)
	proxy := redistest.StartProxy(t, server.Addr)
	a := open(t, &conns.Address{Addrs: []string{proxy.Addr}})
	direct := open(t, server.Redis())
	proxy.DropReplies(0.3)
	const rounds = 4
	defer proxy.DropReplies(0)

	var setup string
	retry(t, "setup", func() (err error) { setup, err = a.SetupCode(ctx); return })
	var owner accounts.Redeemed
	request := accounts.SignIn{User: identity.User{Name: "Olga"}, Key: uuid.NewString()}
	retry(t, "redeem the setup code", func() (err error) { owner, err = a.Redeem(ctx, setup, request); return })

	for i := range rounds {
		var code string
		key := uuid.NewString()
		retry(t, "invite", func() (err error) {
			_, code, err = a.CreateInvite(ctx, owner.User.ID, key, accounts.Invite{Role: accounts.Member, Uses: 2, Expiry: time.Now().Add(time.Hour)})
			return
		})
		var signedIn accounts.Redeemed
		join := accounts.SignIn{User: identity.User{Name: fmt.Sprint("Guest ", i)}, Key: uuid.NewString()}
		retry(t, "redeem", func() (err error) { signedIn, err = a.Redeem(ctx, code, join); return })
		if invite, err := direct.Invite(ctx, code); err != nil || invite.Uses != 1 {
			t.Errorf("the invite has %d uses left, want 1; error %v", invite.Uses, err)
		}
		var link string
		retry(t, "link", func() (err error) { link, err = a.CreateLink(ctx, owner.User.ID, signedIn.User.ID); return })
		spend := accounts.SignIn{Key: uuid.NewString()}
		var phone accounts.SignedIn
		retry(t, "spend", func() (err error) { phone, err = a.SpendLink(ctx, link, spend); return })
		upgrade := accounts.SignIn{User: newUser(t, "Guest"), Key: uuid.NewString()}
		retry(t, "upgrade", func() (err error) { _, err = a.Upgrade(ctx, upgrade); return })
		who := accounts.Identity{Issuer: "i", Subject: fmt.Sprint(i), SID: "s"}
		signIn := accounts.SignIn{User: identity.User{Name: "Oidc"}, Key: uuid.NewString()}
		retry(t, "identity", func() (err error) { _, err = a.SignInWithIdentity(ctx, who, "code", signIn); return })
		retry(t, "role", func() error { return a.SetRole(ctx, owner.User.ID, signedIn.User.ID, accounts.Moderator) })
		retry(t, "sign out", func() error { return a.SignOut(ctx, owner.User.ID, signedIn.User.ID, signedIn.Session.ID) })
		retry(t, "mark as used", func() error { return a.RecordUse(ctx, phone.Session) })
		sessions, err := direct.Sessions(ctx, signedIn.User.ID)
		if err != nil || len(sessions) != 1 || sessions[0].ID != phone.Session.ID {
			t.Errorf("got %d sessions and the error %v, want only the phone's session", len(sessions), err)
		}
		retry(t, "ban", func() error { return a.Ban(ctx, accounts.Operator, upgrade.User.ID, "spam") })
		retry(t, "verdict", func() error { _, err := a.Verdict(ctx, phone.Session); return err })
		retry(t, "leave", func() error { return a.Leave(ctx, phone.Session) })
	}
	people, err := direct.People(ctx, 0, 1000)
	if err != nil || len(people) != 1+2*rounds { // the invited people have left again
		t.Errorf("got %d people and the error %v, want %d people", len(people), err, 1+2*rounds)
	}
}

// Each change must be appended to the stream exactly once, even if the call is repeated.
func TestEveryChangeIsAppendedOnce(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	a := open(t, server.Redis())
	owner := join(t, a, "Olga", accounts.Owner)
	signedIn := join(t, a, "Ada", accounts.Member)
	steps := []struct {
		want string
		do   func() error
	}{
		{"role", func() error { return a.SetRole(ctx, owner.User.ID, signedIn.User.ID, accounts.Moderator) }},
		{"name", func() error { _, err := a.Rename(ctx, signedIn.Session, "Ada Lovelace"); return err }},
		{"signed_out", func() error { return a.SignOut(ctx, owner.User.ID, signedIn.User.ID, signedIn.Session.ID) }},
		{"banned", func() error { return a.Ban(ctx, owner.User.ID, signedIn.User.ID, "") }},
		{"unbanned", func() error { return a.Unban(ctx, owner.User.ID, signedIn.User.ID) }},
	}
	client := server.Client()
	defer client.Close()
	seen := client.XLen(ctx, a.AccessKey()).Val()
	for _, step := range steps {
		for range 3 {
			if err := step.do(); err != nil && !errors.Is(err, accounts.ErrSignedOut) {
				t.Fatalf("%s: %v", step.want, err)
			}
		}
		entries := client.XRange(ctx, a.AccessKey(), "-", "+").Val()[seen:]
		if len(entries) != 1 || entries[0].Values["kind"] != step.want || entries[0].Values["user"] != signedIn.User.ID {
			t.Errorf("appended %v, want one entry of kind %s", entries, step.want)
		}
		seen += int64(len(entries))
	}
}

// Neither Redis nor the log nor an error may contain a code or a token.
func TestCodesAreNotStoredOrLogged(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	var log bytes.Buffer
	proxy := redistest.StartProxy(t, server.Addr)
	a := open(t, &conns.Address{Addrs: []string{proxy.Addr}}, func(o *accounts.Options) {
		o.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	owner := join(t, a, "Olga", accounts.Owner)
	link, err := a.CreateLink(ctx, owner.User.ID, owner.User.ID)
	wantError(t, "link", err, nil)
	_, invite := newInvite(t, a, owner.User.ID, 1, accounts.Member)
	setup, err := open(t, redistest.Start(t).Redis()).SetupCode(ctx)
	wantError(t, "setup", err, nil)
	ceremony, err := a.StartCeremony(ctx, "get", "state")
	wantError(t, "ceremony", err, nil)
	who := accounts.Identity{Issuer: "https://issuer.example", Subject: "subject-of-ada", SID: "sid-of-ada"}
	_, err = a.SignInWithIdentity(ctx, who, ceremony, accounts.SignIn{User: identity.User{Name: "Ida"}})
	wantError(t, "identity", err, nil)
	codes := []string{link, invite, setup, ceremony, owner.Token, who.Subject, who.SID}

	client := server.Client()
	defer client.Close()
	var all strings.Builder
	for _, key := range client.Keys(ctx, "*").Val() {
		all.WriteString(key + " " + client.Dump(ctx, key).Val())
		switch client.Type(ctx, key).Val() {
		case "hash":
			fmt.Fprint(&all, client.HGetAll(ctx, key).Val())
		case "string":
			all.WriteString(client.Get(ctx, key).Val())
		}
	}
	proxy.Reroute("")
	errs := []error{a.TakeCeremony(ctx, "get", ceremony, new(string)), a.Restored(ctx, "0-0")}
	_, err = a.SpendLink(ctx, link, accounts.SignIn{})
	errs = append(errs, err)
	_, err = a.Redeem(ctx, invite, accounts.SignIn{User: identity.User{Name: "Eve"}})
	errs = append(errs, err)
	_, err = a.Verify(owner.Token + "x")
	errs = append(errs, err)
	for i, err := range errs {
		if err == nil {
			t.Errorf("call %d succeeded, want an error", i)
		}
		fmt.Fprintln(&all, err)
	}
	all.WriteString(log.String())
	for _, code := range codes {
		if strings.Contains(all.String(), code) {
			t.Errorf("Redis, the log or an error contains the secret %q", code)
		}
	}
}

func TestClocksThatGoBackwards(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	now := time.Now()
	ahead := open(t, server.Redis(), func(o *accounts.Options) { o.Now = func() time.Time { return now.Add(72 * time.Hour) } })
	behind := open(t, server.Redis(), func(o *accounts.Options) { o.Now = func() time.Time { return now.Add(-72 * time.Hour) } })
	signedIn := join(t, ahead, "Ada", accounts.Member)
	session, err := behind.Verify(signedIn.Token)
	wantError(t, "verify a token from the future", err, nil)
	_, err = behind.Verdict(ctx, session)
	wantError(t, "verdict on a session from the future", err, nil)
	wantError(t, "mark as used", behind.RecordUse(ctx, session), nil)
	fresh := open(t, server.Redis(), func(o *accounts.Options) { o.Now = func() time.Time { return now } })
	wantError(t, "mark as used", fresh.RecordUse(ctx, session), nil) // it has not cached the session, so it writes
	sessions, err := behind.Sessions(ctx, signedIn.User.ID)
	if err != nil || len(sessions) != 1 || sessions[0].LastDay.Before(now.Add(47*time.Hour)) || !sessions[0].Expiry.Equal(signedIn.Session.Expiry) {
		t.Errorf("got sessions %+v, %v; want neither the last day nor the expiry to move back", sessions, err)
	}
	link, err := behind.CreateLink(ctx, signedIn.User.ID, signedIn.User.ID)
	wantError(t, "link", err, nil)
	_, err = ahead.SpendLink(ctx, link, accounts.SignIn{}) // only the clock of Redis counts
	wantError(t, "spend", err, nil)
	wantError(t, "ban", behind.Ban(ctx, accounts.Operator, signedIn.User.ID, ""), nil)
	_, err = ahead.Verdict(ctx, signedIn.Session)
	wantError(t, "verdict", err, accounts.ErrBanned)
}

// A full Redis refuses some commands and not others. Nothing may change without an entry in the stream, and
// sign-outs and bans must work.
func TestFullRedisMakesNoSilentChange(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	a := open(t, server.Redis())
	owner, ada, max := join(t, a, "Olga", accounts.Owner), join(t, a, "Ada", accounts.Member), join(t, a, "Max", accounts.Member)
	guest := uuid.NewString()
	wantError(t, "ban", a.Ban(ctx, owner.User.ID, guest, "spam"), nil)
	_, invite := newInvite(t, a, owner.User.ID, 5, accounts.Moderator)
	link, err := a.CreateLink(ctx, owner.User.ID, ada.User.ID)
	wantError(t, "link", err, nil)
	client := server.Client()
	defer client.Close()
	dump := func() (all string) {
		for _, key := range []string{"bans", "owners", "ended_guests", "accounts", "passkey_users"} {
			all += client.Dump(ctx, "{0}:"+key).Val()
		}
		for _, signedIn := range []accounts.SignedIn{owner, ada, max} {
			all += fmt.Sprint(client.HGetAll(ctx, "{0}:account:"+signedIn.User.ID).Val(), client.HGetAll(ctx, "{0}:account:"+signedIn.User.ID+":sessions").Val())
		}
		return all
	}
	mod := join(t, a, "Mod", accounts.Moderator)
	left := join(t, a, "Leo", accounts.Member)
	changes := client.XLen(ctx, a.AccessKey()).Val()
	before := dump()
	client.ConfigSet(ctx, "maxmemory", "1")
	for name, do := range map[string]func() error{
		"unban":   func() error { return a.Unban(ctx, owner.User.ID, guest) },
		"role":    func() error { return a.SetRole(ctx, owner.User.ID, max.User.ID, accounts.Owner) },
		"rename":  func() error { _, err := a.Rename(ctx, ada.Session, "Eve"); return err },
		"redeem":  func() error { _, err := a.RedeemAs(ctx, invite, max.Session); return err },
		"upgrade": func() error { _, err := a.Upgrade(ctx, accounts.SignIn{User: newUser(t, "New")}); return err },
		"spend":   func() error { _, err := a.SpendLink(ctx, link, accounts.SignIn{}); return err },
	} {
		wantError(t, name, do(), accounts.ErrFull)
		if after := dump(); after != before {
			t.Errorf("%s on a full Redis changed something", name)
		}
	}
	_, err = a.Verdict(ctx, ada.Session)
	wantError(t, "verdict", err, nil)
	if n := client.XLen(ctx, a.AccessKey()).Val(); n != changes {
		t.Errorf("%d changes were appended to a full Redis, want none", n-changes)
	}
	// The calls that stop a person who fills Redis work, and append their changes.
	wantError(t, "demote", a.SetRole(ctx, owner.User.ID, mod.User.ID, accounts.Member), nil)
	wantError(t, "leave", a.Leave(ctx, left.Session), nil)
	wantError(t, "sign out", a.SignOut(ctx, max.User.ID, max.User.ID), nil)
	wantError(t, "ban", a.Ban(ctx, owner.User.ID, max.User.ID, "spam"), nil)
	wantVerdict(t, a, left, accounts.ErrSignedOut)
	wantVerdict(t, a, max, accounts.ErrBanned)
	changes += 4
	client.ConfigSet(ctx, "maxmemory", "0")
	if n := client.XLen(ctx, a.AccessKey()).Val(); n != changes {
		t.Errorf("demote, leave, sign out and ban appended %d changes, want 4", n-changes+4)
	}
	wantError(t, "sign out", a.SignOut(ctx, ada.User.ID, ada.User.ID), nil)
	if n := client.XLen(ctx, a.AccessKey()).Val(); n != changes+1 {
		t.Errorf("one sign-out appended %d changes, want 1", n-changes)
	}
}
