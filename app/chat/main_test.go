package chat

import (
	"os"
	"testing"

	"burble/streams/redistest"
)

func TestMain(m *testing.M) { os.Exit(redistest.Main(m)) }
