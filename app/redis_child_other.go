//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package main

import (
	"context"
	"errors"
	"log/slog"
)

// findRedisServer finds none where Redis does not run as a child of ours.
func findRedisServer() string { return "" }

func openChildRedis(context.Context, string, Config, *slog.Logger) (*redisSource, error) {
	return nil, errors.New("redis-server is not run as a child on this system")
}
