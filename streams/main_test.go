package streams_test

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"burble/streams"
	"burble/streams/redistest"
)

// TestMain has every tail look around each second, and sees that nothing of ours
// still runs when all Stores are closed.
func TestMain(m *testing.M) {
	streams.SetMaxBlock(time.Second)
	code := redistest.Main(m)
	if left := ours(); code == 0 && left != "" {
		fmt.Println("goroutines left:\n" + left)
		code = 1
	}
	os.Exit(code)
}

// ours are the stacks of goroutines that run code of the package, once they have
// had a moment to end.
func ours() string {
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
