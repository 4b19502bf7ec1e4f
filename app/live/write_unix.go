//go:build darwin || linux

package live

import (
	"errors"

	"golang.org/x/sys/unix"
)

// writeVector writes as much of first and second as the kernel accepts without blocking. If the
// kernel accepts nothing, it returns 0 and no error.
func writeVector(descriptor int, first, second []byte) (n int, err error) {
	for {
		if len(first) == 0 {
			n, err = unix.Write(descriptor, second)
		} else {
			n, err = unix.Writev(descriptor, [][]byte{first, second})
		}
		switch {
		case errors.Is(err, unix.EAGAIN):
			return 0, nil
		case !errors.Is(err, unix.EINTR):
			return max(0, n), err
		}
	}
}
