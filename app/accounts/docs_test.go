package accounts_test

import (
	"fmt"
	"testing"
	"time"

	"burble/app/accounts"
	"burble/app/accounts/verdicts"
	"burble/app/apptest"
	"burble/app/identity"
)

func TestLimitsInDocs(t *testing.T) {
	t.Parallel()
	apptest.ExpectDoc(t, "accounts/README.md",
		fmt.Sprintf("| %d days. `Renew` renews it after %d days |", accounts.SessionLifetime/(24*time.Hour), identity.TokenFresh/(24*time.Hour)),
		fmt.Sprintf("| %d minutes, once, and only while", accounts.LinkLifetime/time.Minute),
		fmt.Sprintf("| %d minutes, once |", accounts.CeremonyLifetime/time.Minute),
		fmt.Sprintf("| string, %d min | the state of a sign-in", accounts.CeremonyLifetime/time.Minute),
		fmt.Sprintf("within %d seconds if the server's tail is lost", verdicts.MaxUnconfirmed/time.Second),
	)
}
