package ws

import (
	"fmt"
	"testing"

	"burble/app/apptest"
)

func TestBufferSizeInDocs(t *testing.T) {
	t.Parallel()
	apptest.ExpectDoc(t, "ARCHITECTURE.md", fmt.Sprintf("a %d-byte buffer", bufferSize))
}
