//go:build unix

package browser

import (
	"flag"
	"os"
	"testing"

	"burble/app/apptest"
)

func TestMain(m *testing.M) {
	if !apptest.Race() {
		flag.Set("test.parallel", "4") // most of these tests wait; -parallel still counts
	}
	code := apptest.Main(m)
	closeChromium()
	os.Exit(code)
}
