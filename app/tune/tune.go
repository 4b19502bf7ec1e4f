// Package tune lowers Burble's CPU usage. The program is correct without it.
//
// Timer slack (Linux). While a program is busy, a thread of Go's runtime (sysmon) wakes up every
// 20 µs. With 4 ms of timer slack, the kernel wakes that thread less often.
//   - Gain: up to a sixth of the CPU time.
//   - Cost: timers fire up to 4 ms late. The program also re-executes itself at startup, because
//     sysmon can only inherit its slack. That takes about 20 ms.
//   - Turn off: TIMER_SLACK=0. The program keeps a slack that it inherited if that is at least as
//     long, for example from TimerSlackNSec= in systemd.
//
// Garbage collection. The heap may grow by 200% between collections instead of 100%.
//   - Gain: 3% of the CPU time with 50 rooms and 1,000 messages per second.
//   - Cost: memory. GOMEMLIMIT still bounds it.
//   - Turn off: set GOGC. Go's default is 100.
package tune

import (
	"os"
	"runtime/debug"
	"time"
)

// gcPercent is this program's default for GOGC.
const gcPercent = 200

// Start applies timerSlack and the garbage collector's setting to this process. Call it early in
// main, because it applies the slack by re-executing the program with the same arguments, environment
// and process ID. Start returns in the new run, or if it cannot apply the slack. A timerSlack of 0
// leaves the slack unchanged.
func Start(timerSlack time.Duration) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	raiseTimerSlack(timerSlack)
}
