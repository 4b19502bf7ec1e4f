package tune

import (
	"fmt"
	"testing"
	"time"

	"burble/app/apptest"
)

func TestTuneLimitsInDocs(t *testing.T) {
	t.Parallel()
	apptest.ExpectDoc(t, "ARCHITECTURE.md",
		fmt.Sprintf("more than %.0f %% of it for %d ms", 100*busyShare, sampleInterval/time.Millisecond),
		fmt.Sprintf("less than %.0f %% of it for a second", 100*calmShare),
	)
}
