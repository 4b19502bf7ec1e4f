//go:build unix

package main

import "syscall"

// attempt writes what the kernel takes at once: past Go's poller, with whose deadlines
// and waiting it has nothing to do, and which costs a twentieth of a write. The
// descriptor is good for as long as anyone writes, see finish.
func (f *feed) attempt(data []byte) (n int, err error) {
	if f.descriptor == 0 || len(data) == 0 {
		return 0, nil
	}
	for {
		n, err = syscall.Write(f.descriptor, data)
		if err == syscall.EAGAIN {
			return 0, nil
		}
		if err != syscall.EINTR {
			return max(0, n), err
		}
	}
}
