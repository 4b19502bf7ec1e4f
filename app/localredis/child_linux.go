package localredis

import "syscall"

// endWithParent makes the kernel send the child SIGTERM when this process ends in any
// way. The child then writes its data and exits.
func endWithParent(attr *syscall.SysProcAttr) {
	attr.Pdeathsig = syscall.SIGTERM
}
