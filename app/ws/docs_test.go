package ws

import (
	"burble/app/apptest"
	"fmt"
	"testing"
)

func TestBufferSizeInDocs(t *testing.T) {
	t.Parallel()
	apptest.ExpectDoc(t, "README.md", fmt.Sprintf("a %d-byte buffer", bufferSize))
}
