// Package tune lowers Burble's CPU usage. The program is correct without it.
//
//	tune.Start(4 * time.Millisecond) // early in main
//
// Timer slack (Linux). While a program is busy, a thread of Go's runtime (sysmon) wakes up every
// 20 µs. With 4 ms of timer slack, the kernel wakes that thread less often.
//   - Gain: up to a sixth of the CPU time.
//   - Cost: timers fire up to 4 ms late. The program also re-executes itself at startup, because
//     sysmon can only inherit its slack. That takes about 20 ms.
//   - Turn off: TIMER_SLACK=0. The program keeps a slack that it inherited if that is at least as
//     long, for example from TimerSlackNSec= in systemd.
package tune

import "time"

// Start applies timerSlack to this process. Call it early in main, because it re-executes the program
// with the same arguments, environment and process ID. Start returns in the new run, or if it cannot
// apply the slack. A timerSlack of 0 leaves the slack unchanged.
func Start(timerSlack time.Duration) {
	raiseTimerSlack(timerSlack)
}
