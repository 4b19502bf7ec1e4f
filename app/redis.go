package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"

	"burble/app/redisurl"
	"burble/streams"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
)

// redisSource is the Redis that Burble uses: where it is, and who owns it.
type redisSource struct {
	// Options say where Redis is and who we are to it, nothing else: how many
	// connections and which timeouts is for package streams to decide.
	Options *redis.UniversalOptions

	// Describe is one line for the log. It never holds a password.
	Describe string

	// Miniredis says that it is the imitation, whose data goes with the process.
	Miniredis bool

	// Close ends what openRedis started, after the last use of Options. It waits
	// until a child has saved everything. It may be called more than once.
	Close func()
}

// openRedis finds a Redis: the one in REDIS_URL; else a redis-server or valkey-server
// on PATH, started as a child that keeps its data in DATA_DIR; else an imitation in
// this process. The child and the imitation answer when openRedis returns; whether
// REDIS_URL does is for the caller to see.
//
// ctx bounds the start only. What was started lives until Close.
func openRedis(ctx context.Context, cfg Config, log *slog.Logger) (*redisSource, error) {
	if cfg.RedisURL != "" {
		options, describe, err := redisurl.Parse(cfg.RedisURL, cfg.OnHeroku)
		if err != nil {
			return nil, fmt.Errorf("REDIS_URL: %w", err)
		}
		return &redisSource{Options: options, Describe: describe, Close: func() {}}, nil
	}
	if program := findRedisServer(); program != "" {
		return openChildRedis(ctx, program, cfg, log)
	}
	log.Warn("no REDIS_URL, and no redis-server or valkey-server on PATH: messages are kept in this process and vanish with it")
	return openMiniredis()
}

// openMiniredis starts the imitation. It listens on a port of this machine, where
// anybody who is logged in could find it, hence the password.
func openMiniredis() (*redisSource, error) {
	server := miniredis.NewMiniRedis()
	password := rand.Text()
	server.RequireAuth(password)
	if err := server.Start(); err != nil {
		return nil, fmt.Errorf("start miniredis: %w", err)
	}
	server.ClockTTL(true) // made for tests, it lets no key expire by itself
	return &redisSource{
		Options:   &redis.UniversalOptions{Addrs: []string{server.Addr()}, Password: password},
		Describe:  "miniredis in this process: messages vanish with it",
		Miniredis: true,
		Close:     server.Close,
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
