//go:build !linux

package tune

import "time"

// raiseTimerSlack does nothing, because only Linux has timer slack.
func raiseTimerSlack(time.Duration) {}
