package throttle

import (
	"fmt"
	"testing"

	"burble/app/apptest"
)

func TestSignInLimitsInDocs(t *testing.T) {
	t.Parallel()
	apptest.ExpectDoc(t, "PROTOCOL.md",
		fmt.Sprintf("an address may make %d of them at once, and then one every %g s", SignInBurst, 1/SignInRate),
		fmt.Sprintf("All addresses together may make %d times as many", AllSignInsFactor),
	)
}

// One address must not use up the limit for all addresses together.
func TestOneAddressLeavesSignInsToOthers(t *testing.T) {
	t.Parallel()
	limits := New(50, 50)
	for range 10 * AllSignInsFactor * SignInBurst {
		limits.AllowSignIn("a")
	}
	if err := limits.AllowSignIn("b"); err != nil {
		t.Errorf("another address is refused: %v", err)
	}
	var refused error
	for i := range 2 * AllSignInsFactor * SignInBurst {
		refused = limits.AllowSignIn(fmt.Sprint(i))
	}
	if refused == nil {
		t.Error("the attempts of all addresses together are not limited")
	}
}

func TestPreviewLimitsInDocs(t *testing.T) {
	t.Parallel()
	apptest.ExpectDoc(t, "PROTOCOL.md",
		fmt.Sprintf("| previews | user | %g/s | %d |", PreviewRate, PreviewBurst),
		fmt.Sprintf("| previews | address | %g/s | %d |", AddressPreviewsFactor*PreviewRate, AddressPreviewsFactor*PreviewBurst),
	)
}
