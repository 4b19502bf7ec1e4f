//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package localredis

import "syscall"

// endWithParent does nothing, because Go has no such attribute for most of these systems. If the parent
// is killed, the user must stop the child.
func endWithParent(*syscall.SysProcAttr) {}
