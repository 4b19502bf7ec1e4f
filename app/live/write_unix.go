//go:build darwin || linux

package live

import (
	"errors"

	"golang.org/x/sys/unix"
)

// writeVector writes as much of both as the kernel takes without blocking. It returns 0 and no error
// if that is nothing.
func writeVector(descriptor int, head, data []byte) (n int, err error) {
	for {
		if len(head) == 0 {
			n, err = unix.Write(descriptor, data)
		} else {
			n, err = unix.Writev(descriptor, [][]byte{head, data})
		}
		switch {
		case errors.Is(err, unix.EAGAIN):
			return 0, nil
		case !errors.Is(err, unix.EINTR):
			return max(0, n), err
		}
	}
}
