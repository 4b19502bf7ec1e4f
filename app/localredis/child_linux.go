package localredis

import "syscall"

// endWithParent makes the kernel send SIGTERM to the child when this process exits, even if it is
// killed. The child then writes its data and exits.
func endWithParent(attr *syscall.SysProcAttr) {
	attr.Pdeathsig = syscall.SIGTERM
}
