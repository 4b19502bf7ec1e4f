package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"burble/app/localredis"
	"burble/app/redisurl"
	"burble/streams"

	"github.com/redis/go-redis/v9"
)

// redisSource is the Redis to use. Its address and credentials come from REDIS_URL, or
// from a server that Burble started itself.
type redisSource struct {
	// Options lead to Redis. Package streams sets the pool sizes and timeouts.
	Options *redis.UniversalOptions

	// Description is one line for the log. It contains no password.
	Description string

	// InProcess reports that this is miniredis, whose data is lost with the process.
	InProcess bool

	// Close stops a server that Burble started. Options must not be used afterwards.
	Close func()
}

// openRedis returns the Redis at REDIS_URL. Without one it starts a local server, with
// its data in DATA_DIR.
//
// A local server accepts commands when openRedis returns. Nothing has connected to
// REDIS_URL yet. ctx bounds the start only.
func openRedis(ctx context.Context, config Config, log *slog.Logger) (*redisSource, error) {
	if config.RedisURL == "" {
		return openLocalRedis(ctx, config, log)
	}
	options, description, err := redisurl.Parse(config.RedisURL, config.OnHeroku)
	if err != nil {
		return nil, fmt.Errorf("REDIS_URL: %w", err)
	}
	return &redisSource{Options: options, Description: description, Close: func() {}}, nil
}

func openLocalRedis(ctx context.Context, config Config, log *slog.Logger) (*redisSource, error) {
	server, err := localredis.Open(ctx, localredis.Options{
		DataDir: config.DataDir, FsyncAlways: config.Durability == streams.Disk, Log: log,
	})
	if err != nil {
		return nil, fmt.Errorf("without REDIS_URL Burble starts a Redis with its data in DATA_DIR: %w", err)
	}
	if server.InProcess {
		log.Warn("REDIS_URL is empty and there is no redis-server or valkey-server on PATH: messages are kept in this process and lost when it ends")
	}
	return &redisSource{
		Options: server.Options, Description: server.Description, InProcess: server.InProcess, Close: server.Close,
	}, nil
}

// explainRedisError names REDIS_URL in an error of the first connection, and adds advice
// where the error alone does not show what to change. It does not quote url.
func explainRedisError(err error, url string) error {
	if url == "" || !errors.Is(err, streams.ErrUnusable) {
		return err
	}
	if advice := redisurl.Advice(err, url); advice != "" {
		return fmt.Errorf("REDIS_URL: %w (%s)", err, advice)
	}
	return fmt.Errorf("REDIS_URL: %w", err)
}
