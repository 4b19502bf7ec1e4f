//go:build unix

package main

import (
	"sync"
	"syscall"
)

// attempt writes what the kernel takes at once: without a deadline to set, and
// without a goroutine that waits.
func (f *feed) attempt(data []byte) (n int, err error) {
	if f.raw == nil || len(data) == 0 {
		return 0, nil
	}
	a := attempts.Get().(*attempt)
	defer attempts.Put(a)
	a.data = data
	err = f.raw.Write(a.write)
	a.data = nil
	if err != nil {
		return 0, err
	}
	return a.n, a.err
}

// attempt is one write, whose function is made only once.
type attempt struct {
	data  []byte
	n     int
	err   error
	write func(fd uintptr) bool
}

var attempts = sync.Pool{New: func() any {
	a := new(attempt)
	a.write = a.once
	return a
}}

func (a *attempt) once(fd uintptr) bool {
	for {
		a.n, a.err = syscall.Write(int(fd), a.data)
		if a.err == syscall.EINTR {
			continue
		}
		if a.err == syscall.EAGAIN {
			a.err = nil
		}
		a.n = max(0, a.n)
		return true
	}
}
