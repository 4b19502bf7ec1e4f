package main

import (
	"burble/app/apptest"
	"fmt"
	"testing"
	"time"
)

func TestLiveLimitsInDocs(t *testing.T) {
	t.Parallel()
	apptest.ExpectDoc(t, "PROTOCOL.md",
		"rooms one WebSocket follows | "+apptest.Grouped(roomsMost)+" |",
		fmt.Sprintf("batches of %d KiB or more", deflateFrom>>10),
		fmt.Sprintf("ping every %d s", beatEvery/time.Second),
		fmt.Sprintf("Every %d s comes a comment", beatEvery/time.Second),
		fmt.Sprintf("took more than %d s", slowAfter/time.Second),
	)
	apptest.ExpectDoc(t, "THREATS.md",
		fmt.Sprintf("takes %d s ends it", slowAfter/time.Second),
		fmt.Sprintf("buffers at most %d KiB", sendBuffer>>10),
	)
	apptest.ExpectDoc(t, "README.md",
		fmt.Sprintf("has %d s for each write", slowAfter/time.Second),
		fmt.Sprintf("batch of %d KiB or more", deflateFrom>>10),
		fmt.Sprintf("up to %d ms, so that it shares", answerWait/time.Millisecond),
		fmt.Sprintf("over up to %d s, with", drainFor/time.Second),
	)
}
