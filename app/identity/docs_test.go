package identity

import (
	"fmt"
	"testing"
	"time"

	"burble/app/apptest"
)

func TestIdentityLimitsInDocs(t *testing.T) {
	t.Parallel()
	apptest.ExpectDoc(t, "PROTOCOL.md",
		fmt.Sprintf("| a name | %d characters |", MaxName),
		fmt.Sprintf("has 1 to %d characters. Names are", MaxName),
		fmt.Sprintf("valid for %d days", TokenLifetime/(24*time.Hour)),
	)
}
