package streams_test

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"burble/streams"
	"burble/streams/redistest"
)

// TestMain makes every tail check idle rooms each second, and checks that no goroutine of the package is
// left after all Stores have been closed. Most tests wait for Redis servers, so it runs more tests at a
// time than there are processors.
func TestMain(m *testing.M) {
	flag.Parse()
	if isDefault("test.parallel") {
		parallel := "12"
		if os.Getenv("CI") != "" { // then the long tests also run, and they use more CPU
			parallel = "6"
		}
		flag.Set("test.parallel", parallel)
	}
	streams.SetMaxBlock(time.Second)
	code := redistest.Main(m)
	if left := packageStacks(); code == 0 && left != "" {
		fmt.Println("goroutines left running:\n" + left)
		code = 1
	}
	os.Exit(code)
}

// packageStacks waits up to 5 s until no goroutine runs the package's code, and returns the stacks of those
// that still do.
func packageStacks() string {
	var left []string
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		stacks := make([]byte, 16<<20)
		stacks = stacks[:runtime.Stack(stacks, true)]
		left = left[:0]
		for stack := range strings.SplitSeq(string(stacks), "\n\n") {
			if strings.Contains(stack, "burble/streams.") {
				left = append(left, stack)
			}
		}
		if len(left) == 0 {
			return ""
		}
	}
	return strings.Join(left, "\n\n")
}

// isDefault reports whether the flag was not set.
func isDefault(name string) bool {
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == name })
	return !given
}
