package main

import (
	"burble/app/apptest"
	"burble/app/identity"
	"fmt"
	"testing"
	"time"
)

func TestIdentityLimitsInDocs(t *testing.T) {
	t.Parallel()
	apptest.ExpectDoc(t, "PROTOCOL.md",
		fmt.Sprintf("| a name | %d characters |", identity.MaxName),
		fmt.Sprintf("has 1 to %d characters. Names are", identity.MaxName),
		fmt.Sprintf("valid for %d days", identity.TokenLife/(24*time.Hour)),
	)
}
