package tune

import (
	"os"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// restartedEnv is set in the environment of the second run. It prevents an endless loop on a kernel
// that accepts the slack but does not keep it.
const restartedEnv = "BURBLE_SLACK_GIVEN"

// raiseTimerSlack re-executes the program with at least the given timer slack, unless the program
// already has it. PR_SET_TIMERSLACK sets the slack of one thread. The threads that it creates inherit
// the slack, and execve preserves it, so all threads of the second run have it. See prctl(2).
//
// It ignores errors, because without the slack the program only uses more CPU time.
func raiseTimerSlack(slack time.Duration) {
	_, restarted := os.LookupEnv(restartedEnv)
	os.Unsetenv(restartedEnv)
	if restarted || slack <= timerSlack() {
		return
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	program, err := os.Executable()
	if err == nil {
		err = unix.Prctl(unix.PR_SET_TIMERSLACK, uintptr(slack), 0, 0, 0)
	}
	if err == nil {
		syscall.Exec(program, os.Args, append(os.Environ(), restartedEnv+"=1"))
	}
}

// timerSlack returns the slack of the current thread, or 0 if it cannot be read.
func timerSlack() time.Duration {
	nanoseconds, err := unix.PrctlRetInt(unix.PR_GET_TIMERSLACK, 0, 0, 0, 0)
	if err != nil {
		return 0
	}
	return time.Duration(nanoseconds)
}
