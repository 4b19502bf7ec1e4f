//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package localredis

import (
	"context"
	"errors"
)

// findProgram returns "", because Redis does not run as a child process on this system.
func findProgram() string { return "" }

func openChild(context.Context, string, Options) (*Server, error) {
	return nil, errors.New("Redis does not run as a child process on this system")
}
