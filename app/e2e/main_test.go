//go:build unix

package e2e

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
	os.Exit(apptest.Main(m))
}
