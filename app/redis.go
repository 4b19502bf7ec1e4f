package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"burble/app/localredis"
	"burble/app/redisurl"
	"burble/streams"
	"burble/streams/conns"
)

// redisSource is the Redis to use: the one at REDIS_URL, or a local server that Burble started.
type redisSource struct {
	Address *conns.Address

	// Description is one line for the log. It contains no password.
	Description string

	// InProcess reports whether this is miniredis, whose data is lost when the process ends.
	InProcess bool

	// Close stops a local server.
	Close func()
}

// openRedis returns the Redis at REDIS_URL, without connecting to it. If REDIS_URL is empty, it
// starts a local server with its data in DATA_DIR, and returns when the server accepts commands. ctx
// cancels only the start.
func openRedis(ctx context.Context, config Config, log *slog.Logger) (*redisSource, error) {
	if config.RedisURL == "" {
		return openLocalRedis(ctx, config, log)
	}
	address, description, err := redisurl.Parse(config.RedisURL, config.OnHeroku)
	if err != nil {
		return nil, fmt.Errorf("REDIS_URL: %w", err)
	}
	return &redisSource{Address: address, Description: description, Close: func() {}}, nil
}

func openLocalRedis(ctx context.Context, config Config, log *slog.Logger) (*redisSource, error) {
	server, err := localredis.Open(ctx, localredis.Options{
		DataDir: config.DataDir, FsyncAlways: config.Durability == streams.Disk, Log: log,
	})
	if err != nil {
		return nil, fmt.Errorf("REDIS_URL is empty, so Burble starts a Redis with its data in DATA_DIR: %w", err)
	}
	if server.InProcess {
		log.Warn("REDIS_URL is empty and neither redis-server nor valkey-server is on PATH: messages are kept in memory and lost when this process ends")
	}
	return &redisSource{
		Address:     &conns.Address{Addrs: []string{server.Addr}, Password: server.Password},
		Description: server.Description, InProcess: server.InProcess, Close: server.Close,
	}, nil
}

// explainRedisError adds REDIS_URL to an error from the first connection. It also adds advice if the
// error alone does not show what to change. It does not quote url.
func explainRedisError(err error, url string) error {
	if url == "" || !errors.Is(err, streams.ErrUnusable) {
		return err
	}
	if advice := redisurl.Advice(err, url); advice != "" {
		return fmt.Errorf("REDIS_URL: %w (%s)", err, advice)
	}
	return fmt.Errorf("REDIS_URL: %w", err)
}
