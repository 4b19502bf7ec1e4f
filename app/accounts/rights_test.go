package accounts_test

import (
	"errors"
	"testing"
	"time"

	"burble/app/accounts"

	"github.com/google/uuid"
)

// TestRights tries each action of each role on each role.
func TestRights(t *testing.T) {
	t.Parallel()
	a := start(t)
	boss := join(t, a, "Boss", accounts.Owner) // so that nobody is the last owner
	actions := []struct {
		name string
		do   func(by, user string) error
		may  map[string]bool // "actor target"
	}{
		{"ban", func(by, user string) error { return a.Ban(ctx, by, user, "spam") }, allow("moderator member", "moderator guest", "owner member", "owner moderator", "owner guest")},
		{"end sessions", func(by, user string) error { return a.SignOut(ctx, by, user) }, allow("moderator member", "moderator guest", "owner member", "owner moderator", "owner owner", "owner guest")},
		{"link", func(by, user string) error { _, err := a.CreateLink(ctx, by, user); return err }, allow("moderator member", "owner member", "owner moderator", "owner owner")},
		{"make moderator", func(by, user string) error { return a.SetRole(ctx, by, user, accounts.Moderator) }, allow("owner member", "owner moderator", "owner owner")},
		{"make owner", func(by, user string) error { return a.SetRole(ctx, by, user, accounts.Owner) }, allow("owner member", "owner moderator", "owner owner")},
		{"invite members", func(by, _ string) error {
			_, _, err := a.CreateInvite(ctx, by, "", accounts.Invite{Role: accounts.Member, Uses: 1, Expiry: time.Now().Add(time.Hour)})
			return err
		}, allow("moderator *", "owner *")},
		{"invite moderators", func(by, _ string) error {
			_, _, err := a.CreateInvite(ctx, by, "", accounts.Invite{Role: accounts.Moderator, Uses: 1, Expiry: time.Now().Add(time.Hour)})
			return err
		}, allow("owner *")},
		{"invite to a room", func(by, _ string) error {
			_, _, err := a.CreateInvite(ctx, by, "", accounts.Invite{Room: "lobby", Role: accounts.Moderator, Uses: 1, Expiry: time.Now().Add(time.Hour)})
			return err
		}, allow("member *", "moderator *", "owner *")},
	}
	roles := []string{"guest", "member", "moderator", "owner", "banned"}
	someone := func(role string) string {
		switch role {
		case "guest":
			return uuid.NewString()
		case "banned":
			signedIn := join(t, a, "Banned", accounts.Moderator)
			wantError(t, "ban", a.Ban(ctx, boss.User.ID, signedIn.User.ID, ""), nil)
			return signedIn.User.ID
		}
		return join(t, a, "Someone", accounts.Role(role)).User.ID
	}
	for _, action := range actions {
		for _, by := range roles {
			for _, target := range roles[:4] {
				err := action.do(someone(by), someone(target))
				if may := action.may[by+" "+target] || action.may[by+" *"]; may != (err == nil) {
					t.Errorf("%s by %s on %s: got the error %v, want allowed = %v", action.name, by, target, err, may)
				} else if err != nil && !errors.Is(err, accounts.ErrNotAllowed) && !errors.Is(err, accounts.ErrUnknown) {
					t.Errorf("%s by %s on %s: got the error %v, want %v or %v", action.name, by, target, err, accounts.ErrNotAllowed, accounts.ErrUnknown)
				}
			}
		}
	}
}

func allow(cells ...string) map[string]bool {
	may := make(map[string]bool)
	for _, cell := range cells {
		may[cell] = true
	}
	return may
}

func TestThereIsAlwaysAnOwner(t *testing.T) {
	t.Parallel()
	a := start(t)
	ada := join(t, a, "Ada", accounts.Owner)
	wantError(t, "the last owner leaves", a.Leave(ctx, ada.Session), accounts.ErrLastOwner)
	wantError(t, "the last owner is demoted", a.SetRole(ctx, accounts.Operator, ada.User.ID, accounts.Member), accounts.ErrLastOwner)
	wantError(t, "an owner is banned", a.Ban(ctx, accounts.Operator, ada.User.ID, ""), accounts.ErrNotAllowed)
	for i := range 20 {
		bob := join(t, a, "Bob", accounts.Owner)
		// Both owners step down at the same time.
		errs := make([]error, 2)
		atOnce(2, func(k int) {
			switch {
			case k == 0 && i%2 == 0:
				errs[0] = a.SetRole(ctx, bob.User.ID, ada.User.ID, accounts.Member)
			case k == 0:
				errs[0] = a.Leave(ctx, ada.Session)
			default:
				errs[1] = a.SetRole(ctx, ada.User.ID, bob.User.ID, accounts.Member)
			}
		})
		if (errs[0] == nil) == (errs[1] == nil) {
			t.Fatalf("round %d: got errors %v, want exactly one", i, errs)
		}
		if errs[0] == nil { // Bob is the owner now
			ada = bob
		}
		if code, err := a.SetupCode(ctx); code != "" || err != nil {
			t.Fatalf("round %d: SetupCode returned %q, %v; want no code", i, code, err)
		}
	}
}

func TestRolesAndRanksCorrespond(t *testing.T) {
	t.Parallel()
	for _, role := range []accounts.Role{accounts.Member, accounts.Moderator, accounts.Owner} {
		if got := accounts.RoleOf(role.Rank()); got != role {
			t.Errorf("RoleOf(%d) = %q, want %q", role.Rank(), got, role)
		}
	}
}
