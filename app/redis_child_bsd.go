//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package main

import "syscall"

// endWithParent does nothing where Go knows no way to do it. There the child outlives
// a Burble that was killed, and must be ended by hand before the next one can start.
func endWithParent(*syscall.SysProcAttr) {}
