package accounts_test

import (
	"testing"
	"time"

	"burble/app/accounts"
	"burble/streams/conns"
	"burble/streams/redistest"
)

// If the server is configured to wait for a replica, it must not confirm a change that a failover could undo. Otherwise a
// banned person could return, or an ended session could continue.
func TestChangesAreConfirmedOnlyWithAReplica(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	redis := redistest.Start(t).Redis()
	a := open(t, redis)
	ada, eve := join(t, a, "Ada", accounts.Owner), join(t, a, "Eve", accounts.Member)
	link, err := a.CreateLink(ctx, accounts.Operator, eve.User.ID)
	if err != nil {
		t.Fatal(err)
	}
	_, invite, err := a.CreateInvite(ctx, ada.User.ID, "key", accounts.Invite{Role: accounts.Member, Uses: 1, Expiry: time.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	set := conns.New(conns.Options{Redis: redis, Stream: "{0}:activity", Replicate: true})
	t.Cleanup(func() { set.Close() })
	a = accounts.New(accounts.Options{Secret: secret, Redis: set})

	for _, change := range []struct {
		name string
		do   func() error
	}{
		{"create an account", func() error { _, err := a.Upgrade(ctx, accounts.SignIn{User: newUser(t, "Bob")}); return err }},
		{"create an invite", func() error {
			_, _, err := a.CreateInvite(ctx, ada.User.ID, "other", accounts.Invite{Role: accounts.Member, Uses: 1, Expiry: time.Now().Add(time.Hour)})
			return err
		}},
		{"redeem an invite", func() error { _, err := a.Redeem(ctx, invite, accounts.SignIn{User: newUser(t, "Bob")}); return err }},
		{"create a link", func() error { _, err := a.CreateLink(ctx, accounts.Operator, eve.User.ID); return err }},
		{"spend a link", func() error { _, err := a.SpendLink(ctx, link, accounts.SignIn{Key: "key"}); return err }},
		{"rename", func() error { _, err := a.Rename(ctx, eve.Session, "Eva"); return err }},
		{"mark a token as used", func() error { return a.MarkUsed(ctx, "logout", "token", time.Hour) }},
		{"sign out", func() error { return a.SignOut(ctx, eve.User.ID, eve.User.ID, eve.Session.ID) }},
		{"change a role", func() error { return a.SetRole(ctx, accounts.Operator, eve.User.ID, accounts.Moderator) }},
		{"ban", func() error { return a.Ban(ctx, accounts.Operator, eve.User.ID, "spam") }},
		{"ban again", func() error { return a.Ban(ctx, accounts.Operator, eve.User.ID, "spam") }},
		{"end a ban", func() error { return a.Unban(ctx, accounts.Operator, eve.User.ID) }},
		{"leave", func() error { return a.Leave(ctx, ada.Session) }},
	} {
		if change.name == "leave" {
			wantError(t, "make another owner", a.SetRole(ctx, accounts.Operator, eve.User.ID, accounts.Owner), accounts.ErrUnavailable)
		}
		wantError(t, change.name, change.do(), accounts.ErrUnavailable)
	}
}
