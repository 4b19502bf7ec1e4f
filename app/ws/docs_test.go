package ws

import (
	"fmt"
	"testing"

	"burble/app/apptest"
)

func TestBufferSizeInDocs(t *testing.T) {
	t.Parallel()
	apptest.ExpectDoc(t, "README.md", fmt.Sprintf("a %d-byte buffer", bufferSize))
}
