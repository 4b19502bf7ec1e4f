//go:build unix

package e2e

import (
	"flag"
	"os"
	"testing"

	"burble/app/apptest"
)

func TestMain(m *testing.M) {
	flag.Set("test.parallel", "6") // these tests wait most of the time; -parallel still counts
	os.Exit(apptest.Main(m))
}
