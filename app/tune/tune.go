// Package tune lowers the CPU time that Burble uses. The program is correct without it.
//
// Timer slack (Linux). While it is busy, Go's runtime polls every 20 µs in a thread of
// its own. With 4 ms of timer slack the kernel wakes that thread less often.
//   - Gain: up to a sixth of the CPU.
//   - Cost: timers fire up to 4 ms late, and the program executes itself once more when
//     it starts, because a thread can only inherit its slack. That takes some 20 ms.
//   - Turn off: TIMER_SLACK=0. The program also keeps a slack that it was started with if
//     that is no shorter, as from TimerSlackNSec= in systemd.
//
// Garbage collection. The heap may grow by 200 % between collections instead of 100 %.
//   - Gain: 3 % of the CPU with 50 rooms and 1,000 messages a second.
//   - Cost: memory. GOMEMLIMIT still bounds it.
//   - Turn off: set GOGC, to 100 for Go's default.
package tune

import (
	"os"
	"runtime/debug"
	"time"
)

// gcPercent is the default of GOGC in this program.
const gcPercent = 200

// Start applies timerSlack and the garbage collector's setting to this process. Call it
// early in main: to apply the slack it replaces the process with a new run of the same
// program, with the same arguments, environment and process ID. In that new run, or when
// the slack cannot be applied, Start returns. A timerSlack of 0 changes no slack.
func Start(timerSlack time.Duration) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	raiseTimerSlack(timerSlack)
}
