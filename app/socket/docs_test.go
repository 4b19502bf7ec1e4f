package socket

import (
	"fmt"
	"testing"
	"time"

	"burble/app/apptest"
)

func TestSocketLimitsInDocs(t *testing.T) {
	t.Parallel()
	apptest.ExpectDoc(t, "PROTOCOL.md",
		fmt.Sprintf("arrived for %d s", silenceTimeout/time.Second),
		fmt.Sprintf("passed on at most every %d s", typingInterval/time.Second),
		fmt.Sprintf("WebSocket frames | %d s |", silenceTimeout/time.Second),
		fmt.Sprintf("sent %d more frames over", floodLimit),
	)
	apptest.ExpectDoc(t, "THREATS.md",
		fmt.Sprintf("has refused %d more of them", floodLimit),
	)
}
