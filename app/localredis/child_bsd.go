//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package localredis

import "syscall"

// endWithParent does nothing: Go has no such attribute for these systems. The child of a
// killed parent must be stopped by hand.
func endWithParent(*syscall.SysProcAttr) {}
