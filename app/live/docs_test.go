package live

import (
	"fmt"
	"testing"
	"time"

	"burble/app/apptest"
)

func TestLiveLimitsInDocs(t *testing.T) {
	t.Parallel()
	apptest.ExpectDoc(t, "PROTOCOL.md",
		"rooms one WebSocket follows | "+apptest.Grouped(MaxRooms)+" |",
		fmt.Sprintf("batches of %d KiB or more", minDeflateSize>>10),
		fmt.Sprintf("ping every %d s", defaultHeartbeat/time.Second),
		fmt.Sprintf("Every %d s the server sends a comment", defaultHeartbeat/time.Second),
		fmt.Sprintf("took more than %d s", writeTimeout/time.Second),
	)
	apptest.ExpectDoc(t, "THREATS.md",
		fmt.Sprintf("takes %d s ends it", writeTimeout/time.Second),
	)
	apptest.ExpectDoc(t, "ARCHITECTURE.md",
		fmt.Sprintf("has %d s for each write", writeTimeout/time.Second),
		fmt.Sprintf("batch of %d KiB or more", minDeflateSize>>10),
		fmt.Sprintf("over up to %d s, with", drainSpread/time.Second),
	)
}
