package main

import (
	"os"
	"testing"
)

// TestMain lets this test binary be Burble: the process tests start it again with
// the variable set. So what they run is what was compiled for them, with -race
// where they have it, and nothing need be built first.
func TestMain(m *testing.M) {
	if os.Getenv("BURBLE_TEST_SERVES") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}
