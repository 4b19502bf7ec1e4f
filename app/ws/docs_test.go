package ws

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"burble/app/apptest"
)

func TestBufferSizeInDocs(t *testing.T) {
	t.Parallel()
	apptest.ExpectDoc(t, "ARCHITECTURE.md", fmt.Sprintf("a %d-byte buffer", bufferSize))
}

func TestProtocolListsEveryCloseCode(t *testing.T) {
	t.Parallel()
	text := apptest.ReadDoc(t, "PROTOCOL.md")
	for _, code := range []int{
		CloseProtocol, CloseNotText, CloseNotUTF8, CloseNotAllowed, CloseTooBig, CloseInternal, CloseRestart, CloseSignedOut, CloseTooSlow,
	} {
		if !strings.Contains(text, "\n| "+strconv.Itoa(code)+" |") {
			t.Errorf("PROTOCOL.md has no row for close code %d", code)
		}
	}
}
