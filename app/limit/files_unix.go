//go:build unix

package limit

import (
	"math"
	"syscall"
)

// Files returns how many files this process may have open at once, or 0 for no limit. Go has already
// raised the soft limit to the hard one.
func Files() int {
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) != nil || uint64(limit.Cur) >= math.MaxInt32 {
		return 0
	}
	return int(limit.Cur)
}
