package main

import "syscall"

// endWithParent asks the kernel to end the child when we are gone, however we went.
// It then saves what it has, as after any SIGTERM.
func endWithParent(attr *syscall.SysProcAttr) {
	attr.Pdeathsig = syscall.SIGTERM
}
