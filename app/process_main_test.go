//go:build unix

package main_test

import (
	"flag"
	"os"
	"runtime/debug"
	"slices"
	"testing"

	program "burble/app"
	"burble/streams/redistest"
)

// TestMain lets this test binary be Burble: the process tests start it again with
// the variable set. So what they run is what was compiled for them, with -race
// where they have it, and nothing need be built first.
func TestMain(m *testing.M) {
	if os.Getenv("BURBLE_TEST_SERVES") != "" {
		program.Main()
		return
	}
	if info, ok := debug.ReadBuildInfo(); ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) {
		os.Setenv("BURBLE_TEST_RACED", "yes") // everything is ten times slower
	}
	if os.Getenv("BURBLE_TEST_RACED") == "" {
		flag.Set("test.parallel", "4") // most of these tests wait; -parallel still counts
	}
	os.Exit(redistest.Main(m))
}
