//go:build linux

package proc

import (
	"fmt"
	"syscall"
)

// RaiseFileLimit raises the open-file limit of this process and its children to want, or as
// close to it as the system allows, and returns the new limit.
func RaiseFileLimit(want int) (int, error) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0, fmt.Errorf("read the open-file limit: %w", err)
	}
	raised := syscall.Rlimit{Cur: uint64(want), Max: max(uint64(want), limit.Max)}
	if syscall.Setrlimit(syscall.RLIMIT_NOFILE, &raised) != nil {
		raised = syscall.Rlimit{Cur: limit.Max, Max: limit.Max}
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &raised); err != nil {
			return 0, fmt.Errorf("raise the open-file limit: %w", err)
		}
	}
	return int(raised.Cur), nil
}
