package tune

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestStartSetsTimerSlackOfAllThreads(t *testing.T) {
	t.Parallel()
	before := timerSlack()
	if before == 0 {
		t.Skip("this kernel has no timer slack")
	}
	for _, slack := range []time.Duration{0, before / 2, before, 4 * time.Millisecond} {
		want := max(before, slack)
		command := exec.Command(os.Args[0], "-test.run=^TestHelperProcessWithSlack$")
		command.Env = append(os.Environ(), "BURBLE_TEST_SLACK="+slack.String(), "GORACE=atexit_sleep_ms=0")
		output, err := command.CombinedOutput()
		if line := fmt.Sprintln("slack", want, want, "in", command.Process.Pid); err != nil || !strings.Contains(string(output), line) {
			t.Errorf("Start(%v): %v; output %s, want %s", slack, err, output, line)
		}
	}
}

// TestHelperProcessWithSlack calls Start and prints the timer slack of two threads. It does nothing
// unless TestStartSetsTimerSlackOfAllThreads runs it.
func TestHelperProcessWithSlack(t *testing.T) {
	slack, err := time.ParseDuration(os.Getenv("BURBLE_TEST_SLACK"))
	if err != nil {
		return
	}
	Start(slack)
	Start(slack) // must not re-execute the program again
	if _, found := os.LookupEnv(restartedEnv); found {
		t.Errorf("%s is still in the environment", restartedEnv)
	}
	runtime.LockOSThread()
	other := make(chan time.Duration)
	go func() { other <- timerSlack() }() // runs on another thread, because this one is locked
	fmt.Println("slack", timerSlack(), <-other, "in", os.Getpid())
}
