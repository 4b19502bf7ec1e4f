//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package localredis

import "syscall"

// endWithParent does nothing, because these systems have no such attribute in Go. After the parent
// is killed, the user must stop the child.
func endWithParent(*syscall.SysProcAttr) {}
