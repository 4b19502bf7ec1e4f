//go:build unix

package main

import (
	"flag"
	"os"
	"testing"

	"burble/app/apptest"
)

func TestMain(m *testing.M) {
	if !apptest.HasRaceDetector() {
		flag.Set("test.parallel", "4") // many of these tests mostly wait; -parallel still overrides this
	}
	os.Exit(apptest.Main(m))
}
