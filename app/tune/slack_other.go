//go:build !linux

package tune

import "time"

// raiseTimerSlack does nothing: only Linux has timer slack.
func raiseTimerSlack(time.Duration) {}
