//go:build unix

package browser

import (
	"flag"
	"os"
	"testing"

	"burble/app/apptest"
)

func TestMain(m *testing.M) {
	if !apptest.HasRaceDetector() {
		flag.Set("test.parallel", "4") // these tests mostly wait; a -parallel flag overrides this
	}
	apptest.BuildWithoutRace = true // these tests are about the pages; others look for races in the server
	code := apptest.Main(m)
	closeChromium()
	os.Exit(code)
}
