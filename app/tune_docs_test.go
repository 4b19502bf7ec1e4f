package main

import (
	"burble/app/apptest"
	"fmt"
	"testing"
	"time"
)

func TestTuneLimitsInDocs(t *testing.T) {
	t.Parallel()
	apptest.ExpectDoc(t, "README.md",
		fmt.Sprintf("more than %.0f %% of it for %d ms", 100*busyShare, processorsEvery/time.Millisecond),
		fmt.Sprintf("less than %.0f %% of it for a second", 100*calmShare),
	)
}
