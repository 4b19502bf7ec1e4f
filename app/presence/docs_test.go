package presence

import (
	"fmt"
	"testing"
	"time"

	"burble/app/apptest"
)

func TestPresenceLimitsInDocs(t *testing.T) {
	t.Parallel()
	apptest.ExpectDoc(t, "PROTOCOL.md", fmt.Sprintf("`left` (%d s after", leaveGrace/time.Second))
}
