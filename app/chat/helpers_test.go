package chat

import (
	"os"
	"testing"

	"burble/app/identity"
	"burble/streams/redistest"
)

func TestMain(m *testing.M) { os.Exit(redistest.Main(m)) }

var ada = identity.User{ID: "1", Name: "Ada"}
