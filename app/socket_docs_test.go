package main

import (
	"burble/app/apptest"
	"fmt"
	"testing"
	"time"
)

func TestSocketLimitsInDocs(t *testing.T) {
	t.Parallel()
	apptest.ExpectDoc(t, "PROTOCOL.md",
		fmt.Sprintf("arrived for %d s", deadAfter/time.Second),
		fmt.Sprintf("passed on at most every %d s", typingEvery/time.Second),
		fmt.Sprintf("WebSocket frames | %d s |", deadAfter/time.Second),
		fmt.Sprintf("sent %d more frames over", floodMost),
	)
	apptest.ExpectDoc(t, "THREATS.md",
		fmt.Sprintf("with %d more refused", floodMost),
	)
	apptest.ExpectDoc(t, "README.md",
		fmt.Sprintf("a %d-byte buffer", socketBuffer),
	)
}
