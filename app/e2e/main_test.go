//go:build unix

package e2e

import (
	"flag"
	"os"
	"testing"
	"time"

	"burble/app/apptest"
)

// patience is how long a test waits for something that must happen. The machine may be busy.
const patience = time.Minute

func TestMain(m *testing.M) {
	parallel := "6" // these tests mostly wait; a -parallel flag overrides this
	if apptest.HasRaceDetector() {
		parallel = "3"
	}
	flag.Set("test.parallel", parallel)
	os.Exit(apptest.Main(m))
}
