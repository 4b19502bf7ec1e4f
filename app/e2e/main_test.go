//go:build unix

package e2e

import (
	"flag"
	"os"
	"testing"
	"time"

	"burble/app/apptest"
)

// patience is how long a test waits for what must happen: the machine may be busy.
const patience = time.Minute

func TestMain(m *testing.M) {
	parallel := "6" // these tests wait most of the time; -parallel still counts
	if apptest.Race() {
		parallel = "3"
	}
	flag.Set("test.parallel", parallel)
	os.Exit(apptest.Main(m))
}
